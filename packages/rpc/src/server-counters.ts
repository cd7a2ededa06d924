/** What a server has done since it started; `connections`, `inFlight` and `bufferedBytes` are of now. */
export interface ServerMetrics {
  readonly connections: number
  readonly inFlight: number
  readonly bufferedBytes: number
  readonly accepted: number
  readonly refused: number
  readonly calls: number
  readonly streams: number
  readonly notifications: number
  /** Handlers that threw, notifications' too. */
  readonly failures: number
  readonly slowPeers: number
  readonly protocolErrors: number
}

export class ServerCounters {
  accepted = 0
  refused = 0
  calls = 0
  streams = 0
  notifications = 0
  failures = 0
  slowPeers = 0
  protocolErrors = 0

  /** The counts so far, beside what is of now. */
  with(now: Pick<ServerMetrics, 'connections' | 'inFlight' | 'bufferedBytes'>): ServerMetrics {
    const { accepted, refused, calls, streams, notifications, failures, slowPeers, protocolErrors } = this
    return { ...now, accepted, refused, calls, streams, notifications, failures, slowPeers, protocolErrors }
  }
}

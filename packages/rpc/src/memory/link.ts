import type { Clock, Milliseconds } from '../clock.ts'
import type { Random } from '../random.ts'
import type { LinkConditions } from './conditions.ts'

/** What has crossed a link. A message that arrives twice counts once as sent and twice as delivered. */
export interface LinkCounters {
  readonly sent: number
  readonly delivered: number
  /** Lost by chance, by a cut, or because the channel was gone. */
  readonly dropped: number
  readonly bytesSent: number
  readonly bytesDelivered: number
}

/** The way from one node to another, for all channels between them. */
export class Link {
  readonly from: string
  readonly to: string
  isCut = false
  sent = 0
  delivered = 0
  dropped = 0
  bytesSent = 0
  bytesDelivered = 0

  constructor(from: string, to: string) {
    this.from = from
    this.to = to
  }

  counters(): LinkCounters {
    const { sent, delivered, dropped, bytesSent, bytesDelivered } = this
    return { sent, delivered, dropped, bytesSent, bytesDelivered }
  }
}

/** The time that one message takes under `conditions`. */
export function drawDelay(conditions: LinkConditions, random: Random): Milliseconds {
  const [min, max] = conditions.latencyMs
  const delay = max > min ? min + random.next() * (max - min) : min
  const { hold } = conditions
  if (hold === null || random.next() >= hold.rate) return delay
  return delay + hold.min + random.integer(0, random.integer(0, hold.spread))
}

/** Hops without latency run as promise reactions; after so many in a row, timers and sockets get their turn. */
const HOPS_PER_TURN_MAX = 256

/** Runs things after a delay, and things without delay soon. */
export class Courier {
  readonly #clock: Clock
  #hops = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  after(delay: Milliseconds, run: () => void): void {
    if (delay === 0 && ++this.#hops < HOPS_PER_TURN_MAX) {
      void Promise.resolve().then(run)
      return
    }
    this.#hops = 0
    this.#clock.setTimer(delay, run, { keepAlive: true })
  }
}

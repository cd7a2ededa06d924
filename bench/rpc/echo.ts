/** One way to send 256 bytes there and back, between two processes; the benchmark runs several beside each other. */
export interface Echo {
  /** Starts answering. @returns the address to dial */
  serve(): Promise<string>
  dial(address: string): Promise<EchoClient>
}

export interface EchoClient {
  /** Keeps `inFlight` requests on their way for `millis`. @returns replies per second */
  run(inFlight: number, millis: number): Promise<number>
  close(): void
}

export const PAYLOAD = new Uint8Array(256).fill(7)

/**
 * Counts replies of a closed loop: each one sends the next request until time is up.
 *
 * @param start sends `inFlight` requests; `onReply` must be called for each reply and says whether to send another
 */
export function closedLoop(
  inFlight: number,
  millis: number,
  start: (onReply: () => boolean) => void,
): Promise<number> {
  return new Promise((resolve) => {
    let replies = 0
    let outstanding = inFlight
    let isRunning = true
    const begin = performance.now()
    setTimeout(() => (isRunning = false), millis)
    start(() => {
      replies++
      if (isRunning) return true
      if (--outstanding === 0) resolve((replies / (performance.now() - begin)) * 1000)
      return false
    })
  })
}

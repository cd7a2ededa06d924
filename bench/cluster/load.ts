import type { Clerk } from '@lab/kvraft/clerk'

const KEYS = 10_000

/** What a closed loop of `inFlight` callers reached. Latencies in milliseconds. */
export interface LoadResult {
  readonly operations: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

/** `inFlight` callers put 256-byte values one after the other; what happens in the first `warmupMs` is not counted. */
export async function closedLoop(
  clerk: Clerk,
  inFlight: number,
  { warmupMs, measureMs }: { warmupMs: number; measureMs: number },
): Promise<LoadResult> {
  const value = new Uint8Array(256).fill(120)
  const begin = performance.now() + warmupMs
  const end = begin + measureMs
  const latencies: number[] = []
  const caller = async (number: number): Promise<void> => {
    for (let count = number; ; count += inFlight) {
      const before = performance.now()
      if (before >= end) return
      await clerk.put(`key-${count % KEYS}`, value)
      const after = performance.now()
      if (before >= begin && after < end) latencies.push(after - before)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, number) => caller(number)))
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? 0
  return { operations: latencies.length, seconds: measureMs / 1000, p50: at(0.5), p99: at(0.99) }
}

/** Load on whatever takes operations, and how long each of them took. */
import { percentile } from '../statistics.ts'

/** Of a paced load: what cannot be had faster waits outside, and its time counts all the same. */
const WAITING_MAX = 4096

/** Operation number `n`, counted from 0. */
export type Operation = (n: number) => Promise<unknown>

/** Latencies in milliseconds. */
export interface LoadResult {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

export interface LoadOptions {
  /** What happens in the first ones is not counted. */
  readonly warmupMs: number
  readonly measureMs: number
}

/** `inFlight` callers, each with its next operation right after the last. */
export async function closedLoop(
  operation: Operation,
  inFlight: number,
  { warmupMs, measureMs }: LoadOptions,
): Promise<LoadResult> {
  const begin = performance.now() + warmupMs
  const end = begin + measureMs
  const latencies: number[] = []
  const caller = async (number: number): Promise<void> => {
    for (let count = number; ; count += inFlight) {
      const before = performance.now()
      if (before >= end) return
      await operation(count)
      const after = performance.now()
      if (before >= begin && after < end) latencies.push(after - before)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, number) => caller(number)))
  return resultOf(latencies, measureMs)
}

/**
 * So many operations a second, however long they take: latencies count from when an operation was due, so that a pause shows in
 * all that it held up.
 */
export async function pacedLoop(
  operation: Operation,
  perSecond: number,
  { warmupMs, measureMs }: LoadOptions,
): Promise<LoadResult> {
  const end = performance.now() + warmupMs + measureMs
  return pacedUntil(operation, perSecond, () => performance.now() >= end, warmupMs)
}

/** The same until `isOver`. */
export async function pacedUntil(
  operation: Operation,
  perSecond: number,
  isOver: () => boolean,
  warmupMs = 0,
): Promise<LoadResult> {
  const start = performance.now()
  const latencies: number[] = []
  const under = new Set<Promise<void>>()
  const one = async (n: number): Promise<void> => {
    const due = start + (n * 1000) / perSecond
    await operation(n)
    if (due >= start + warmupMs) latencies.push(performance.now() - due)
  }
  for (let n = 0; !isOver();) {
    for (
      const due = ((performance.now() - start) * perSecond) / 1000;
      n < due && under.size < WAITING_MAX;
      n++
    ) {
      const running = one(n).finally(() => under.delete(running))
      under.add(running)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const measureMs = performance.now() - start - warmupMs
  await Promise.all(under)
  return resultOf(latencies, measureMs)
}

function resultOf(latencies: readonly number[], measureMs: number): LoadResult {
  return {
    perSecond: (latencies.length * 1000) / measureMs,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  }
}

/** The combiner and the reduce of everything that is counted. */
import type { Emit } from '../job.ts'

export function sum(left: number, right: number): number {
  return left + right
}

/** Emits the sum of the values. */
export function sumValues<K>(key: K, values: Iterable<number>, emit: Emit<K, number>): void {
  let total = 0
  for (const value of values) total += value
  emit(key, total)
}

/** What MapReduce gives, written as plainly as can be. */

export type Pair = readonly [key: string, value: unknown]

/** Pairs grouped by key, in the bytewise order of UTF-8; values in the order of the pairs. */
export function grouped(pairs: readonly Pair[]): [string, unknown[]][] {
  const groups = new Map<string, unknown[]>()
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value])
  return [...groups].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

/** What MapReduce gives, written as plainly as can be. */

import fc from 'fast-check'

export type Pair = readonly [key: string, value: unknown]

/** Pairs grouped by key, in the bytewise order of UTF-8; values in the order of the pairs. */
export function grouped(pairs: readonly Pair[]): [string, unknown[]][] {
  const groups = new Map<string, unknown[]>()
  for (const [key, value] of pairs) groups.set(key, [...(groups.get(key) ?? []), value])
  return [...groups].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

/** What JSON gives back as it went in: without -0, and without a key that means more than itself. */
export function plainJson(options: fc.JsonSharedConstraints = {}): fc.Arbitrary<unknown> {
  return fc
    .json(options)
    .filter((text) => !text.includes('__proto__'))
    .map((text) => JSON.parse(text) as unknown)
    .filter((value) => !hasMinusZero(value))
}

function hasMinusZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasMinusZero)
  return Object.is(value, -0)
}

/** Phase one: chaos. Phase two: faults off, and the cluster must elect, agree and serve. Every invariant after every step. */
import { expect, test } from 'vitest'
import { runSeed, type Coverage } from './run-seed.ts'

/** Fifty seeds a test, so that a failure is reported before all have run. */
const BLOCKS = [0, 50, 100, 150]

const seen: Coverage[] = []

test.each(BLOCKS)(
  'clusters in chaos keep every promise, and come to agree afterwards: fifty seeds from %i',
  (from) => {
    for (let seed = from; seed < from + 50; seed++) {
      try {
        seen.push(runSeed(seed))
      } catch (cause) {
        throw new Error(`seed ${String(seed)}: ${String(cause)}`, { cause })
      }
    }
  },
)

test('those runs went through everything that can happen', () => {
  const sum = (of: (run: Coverage) => number): number => seen.reduce((total, run) => total + of(run), 0)
  expect(sum((run) => run.committed)).toBeGreaterThan(5000)
  expect(sum((run) => run.terms)).toBeGreaterThan(1000)
  expect(sum((run) => run.truncations)).toBeGreaterThan(50)
  expect(sum((run) => run.fetches)).toBeGreaterThan(1000)
  expect(sum((run) => run.busy)).toBeGreaterThan(100)
  expect(sum((run) => run.restores)).toBeGreaterThan(50)
  expect(sum((run) => run.chunks)).toBeGreaterThan(150)
  expect(sum((run) => run.reads)).toBeGreaterThan(1000)
  expect(sum((run) => run.leases)).toBeGreaterThan(10_000)
})

test('the same seed gives the same run, to the byte', () => {
  for (const seed of [3, 14, 159]) expect(runSeed(seed)).toEqual(runSeed(seed))
  expect(runSeed(1).digest).not.toBe(runSeed(2).digest)
})

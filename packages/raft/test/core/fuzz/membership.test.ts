/** The same chaos while who takes part changes all the time: any set to any set, with servers removed, emptied and added again. */
import { expect, test } from 'vitest'
import { runSeed, type Coverage } from './run-seed.ts'

const BLOCKS = [1000, 1050, 1100]

const seen: Coverage[] = []

test.each(BLOCKS)(
  '§6 clusters whose members change in chaos keep every promise, and come to agree afterwards: fifty seeds from %i',
  (from) => {
    for (let seed = from; seed < from + 50; seed++) {
      try {
        seen.push(runSeed(seed, { changes: true }))
      } catch (cause) {
        throw new Error(`seed ${String(seed)}: ${String(cause)}`, { cause })
      }
    }
  },
)

test('those runs went through everything that a change of members can come to', () => {
  const sum = (of: (run: Coverage) => number): number => seen.reduce((total, run) => total + of(run), 0)
  expect(sum((run) => run.changed)).toBeGreaterThan(200)
  expect(sum((run) => run.tooSlow)).toBeGreaterThan(30)
  expect(sum((run) => run.joint)).toBeGreaterThan(1000)
  expect(sum((run) => run.wipes)).toBeGreaterThan(500)
  expect(sum((run) => run.refusedWiped)).toBeGreaterThan(10)
  expect(sum((run) => run.restores)).toBeGreaterThan(100)
})

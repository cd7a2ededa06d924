/** Phase one: chaos. Phase two: faults off, and the cluster must elect, agree and serve (STYLE of every simulator). */
import { expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'

test('smoke', () => {
  for (let seed = 1; seed <= 100; seed++) {
    try {
      runSeed(seed)
    } catch (e) {
      throw new Error(`seed ${seed}: ${(e as Error).stack}`)
    }
  }
  expect(1).toBe(1)
})

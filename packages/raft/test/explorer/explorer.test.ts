/** Every way that things can go in a small world; the millions of states are in explorer.long.test.ts. */
import { expect, test } from 'vitest'
import { explore, wander } from './explore.ts'
import { stories } from './stories.ts'
import type { Bounds } from './world.ts'

const BOUNDS: Bounds = { terms: 3, proposals: 2, crashes: 1, drops: 1, inFlight: 6 }

test.each(Object.entries(stories))('breadth first, from where %s: no invariant breaks', (_, story) => {
  const explored = explore(BOUNDS, 3000, { begin: story(BOUNDS) })
  expect(explored.states).toBe(3000)
})

test.each(Object.entries(stories))('walking at random, from where %s: no invariant breaks', (_, story) => {
  const begin = story(BOUNDS)
  const walked = wander(BOUNDS, 6000, { begin, seed: 1, steps: 80 })
  expect(walked.leaders).toBeGreaterThan(1000)
  expect(walked.commits).toBeGreaterThan(300)
  expect(wander(BOUNDS, 500, { begin, seed: 2, steps: 80 })).toEqual(
    wander(BOUNDS, 500, { begin, seed: 2, steps: 80 }),
  )
})

/** A million states and more; `LAB_STATES=10000000 npm run test:long -- packages/raft/test/explorer` for ten million. */
import { expect, test } from 'vitest'
import { explore, wander, type Exploration } from './explore.ts'
import { stories } from './stories.ts'
import type { Bounds } from './world.ts'

const BOUNDS: Bounds = { terms: 3, proposals: 2, crashes: 1, drops: 1, inFlight: 6 }
const STATES = Number(process.env['LAB_STATES'] ?? 1_000_000)
const HOURS_MS = 24 * 3_600_000
const names = Object.keys(stories)
/** Of each way of exploring from each beginning. */
const share = Math.ceil(STATES / names.length)

test.each(Object.entries(stories))(
  'breadth first, from where %s: no invariant breaks',
  { timeout: HOURS_MS },
  (name, story) => {
    const what = `breadth first, from where ${name}`
    const explored = explore(BOUNDS, share, { begin: story(BOUNDS), onProgress: progress(what) })
    tell('Explored', what, explored)
    expect(explored.states).toBe(share)
  },
)

test.each(Object.entries(stories))(
  'walking at random, from where %s: no invariant breaks',
  { timeout: HOURS_MS },
  (name, story) => {
    const what = `at random, from where ${name}`
    const options = { begin: story(BOUNDS), seed: 1, steps: 80, onProgress: progress(what) }
    const explored = wander(BOUNDS, share, options)
    tell('Explored', what, explored)
    expect(explored.states).toBeGreaterThanOrEqual(share)
  },
)

const begun = process.cpuUsage()

function progress(what: string): (so: Exploration) => void {
  return (explored) => {
    tell('Progress:', what, explored)
  }
}

/** The reporter shows `Progress` at once, and `Explored` below the file's line. */
function tell(how: string, what: string, { states, steps, depth, leaders, commits }: Exploration): void {
  const seconds = process.cpuUsage(begun).user / 1e6
  const mebibytes = process.memoryUsage().rss / 2 ** 20
  console.log(
    `${how} ${what}: ${String(states)} distinct states (${String(leaders)} with a leader, ${String(commits)} with a commit) ` +
      `in ${String(steps)} steps, up to ${String(depth)} deep, 0 violations; ${seconds.toFixed(0)} s of one core so far, ${mebibytes.toFixed(0)} MiB`,
  )
}

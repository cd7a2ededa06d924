/**
 * Visits the states of a {@link World}, each once. A state is kept as the action that led to it and the state before: cores
 * cannot be copied, so they are played again, which takes as long as the state is deep.
 */
import { seededRandom } from '@lab/rpc'
import { World, type Action, type Bounds } from './world.ts'
import { fingerprint } from './fingerprint.ts'
import { StateSet } from './state-set.ts'

export interface Exploration {
  /** Distinct states, names of servers apart. */
  readonly states: number
  /** Steps tried, those to known states too. */
  readonly steps: number
  /** Actions from the beginning to the state furthest away. */
  readonly depth: number
  /** All states within the bounds were seen: not just as many as asked for. */
  readonly complete: boolean
  /** States in which somebody leads, and in which something is committed. */
  readonly leaders: number
  readonly commits: number
}

export interface ExploreOptions {
  /** Played first, to begin in the middle of a story. */
  readonly begin?: readonly Action[]
  /** Told now and then, for who waits for millions. */
  readonly onProgress?: (so: Exploration) => void
}

/** An invariant broke; the message tells the way there. */
export class Violation extends Error {}

/**
 * Breadth first: every state that is so many actions away from the beginning comes before any that is further, and the way to a
 * violation is the shortest.
 *
 * @throws {Violation}
 */
export function explore(
  bounds: Bounds,
  statesMax: number,
  { begin = [], onProgress }: ExploreOptions = {},
): Exploration {
  const seen = new Seen(onProgress)
  const before: number[] = [-1]
  const how: Action[] = []
  const way = (state: number): Action[] => {
    const actions: Action[] = []
    for (let at = state; at > 0; at = before[at] as number) actions.push(how[at - 1] as Action)
    return [...begin, ...actions.reverse()]
  }

  seen.add(played(bounds, begin), 0)
  for (let state = 0; state < before.length; state++) {
    const actions = way(state)
    const here = played(bounds, actions)
    const next = here.actions()
    for (const [which, action] of next.entries()) {
      // The last one may use up the world that the list came from.
      const world = which === next.length - 1 ? here : played(bounds, actions)
      act(world, action, actions)
      if (!seen.add(world, actions.length + 1 - begin.length)) continue
      before.push(state)
      how.push(action)
      if (seen.states >= statesMax) return seen.result(false)
    }
  }
  return seen.result(true)
}

/**
 * Walks at random, from the same beginning again and again: long stories that breadth first would not come to in a lifetime.
 *
 * @param options.steps of one walk
 * @throws {Violation}
 */
export function wander(
  bounds: Bounds,
  statesMax: number,
  options: ExploreOptions & { readonly seed: number; readonly steps: number },
): Exploration {
  const { begin = [], seed, steps, onProgress } = options
  const random = seededRandom(seed)
  const seen = new Seen(onProgress)
  while (seen.states < statesMax) {
    const world = played(bounds, begin)
    const actions = [...begin]
    for (let step = 1; step <= steps; step++) {
      const possible = world.actions()
      const action = possible[random.integer(0, possible.length - 1)]
      if (action === undefined) break
      act(world, action, actions)
      actions.push(action)
      seen.add(world, step)
    }
  }
  return seen.result(false)
}

const PROGRESS_EVERY = 50_000

/** The states seen, and what to tell of them. */
class Seen {
  readonly #known = new StateSet()
  readonly #onProgress: ((so: Exploration) => void) | undefined
  #steps = 0
  #depth = 0
  #leaders = 0
  #commits = 0

  constructor(onProgress?: (so: Exploration) => void) {
    this.#onProgress = onProgress
  }

  get states(): number {
    return this.#known.size
  }

  /** @returns whether it is new */
  add(world: World, depth: number): boolean {
    this.#steps++
    if (!this.#known.add(fingerprint(world))) return false
    this.#depth = Math.max(this.#depth, depth)
    if (world.servers.some(({ core }) => core.status().role === 'leader')) this.#leaders++
    if (world.commitIndex > 0) this.#commits++
    if (this.states % PROGRESS_EVERY === 0) this.#onProgress?.(this.result(false))
    return true
  }

  result(complete: boolean): Exploration {
    return {
      states: this.states,
      steps: this.#steps,
      depth: this.#depth,
      complete,
      leaders: this.#leaders,
      commits: this.#commits,
    }
  }
}

function played(bounds: Bounds, actions: readonly Action[]): World {
  const world = new World(bounds)
  for (const action of actions) world.act(action)
  return world
}

function act(world: World, action: Action, before: readonly Action[]): void {
  try {
    world.act(action)
  } catch (cause) {
    const story = [...before, action].map((one, at) => `  ${String(at + 1)}. ${JSON.stringify(one)}`)
    throw new Violation(`${String(cause)}\n${story.join('\n')}`, { cause })
  }
}

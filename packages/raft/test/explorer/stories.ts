/** Where explorations begin: elections alone would fill any number of states before anything is replicated. */
import { World, type Action, type Bounds } from './world.ts'

/** Plays `first`, then lets everything under way arrive, oldest first, until only timers are left. */
function calm(bounds: Bounds, first: readonly Action[]): Action[] {
  const world = new World(bounds)
  const played: Action[] = []
  const act = (action: Action): void => {
    world.act(action)
    played.push(action)
  }
  first.forEach(act)
  for (;;) {
    const server = world.servers.findIndex(({ write }) => write !== null)
    if (server >= 0) act({ type: 'persist', server })
    else if (world.flying.length > 0) act({ type: 'deliver', which: 0 })
    else return played
  }
}

export const stories: Readonly<Record<string, (bounds: Bounds) => readonly Action[]>> = {
  'nobody leads': () => [],
  'a leader is elected, and its first entry is everywhere': (bounds) =>
    calm(bounds, [{ type: 'timer', server: 0 }]),
  'a leader has an entry of the client that nobody else has': (bounds) => [
    ...calm(bounds, [{ type: 'timer', server: 0 }]),
    { type: 'propose', server: 0 },
    { type: 'persist', server: 0 },
  ],
}

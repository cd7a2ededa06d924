import { seededRandom } from '@lab/rpc'
import { mustHold, type Operated } from '@lab/sim'
import type { RaftNode } from '../../../node.ts'
import type { NodeId } from '../../../types.ts'
import { drawLeaseRead, drawRegistersOp, registersScenario } from '../registers.ts'
import { amnesia, blindSuccessor, lateAnswers, lateHandOver } from './leases.ts'
import { splitChange, wipedVoter } from './membership.ts'
import { Stage } from './stage.ts'

/** How long the cluster is let alone after each: all is well again then, or the next finds nobody who leads. */
const REST_MS = 700

/** Whoever gives up soon writes elsewhere while a leader that is none any more still takes itself for one. */
const CALL_TIMEOUT_MS = 150
/** Clients that only read. */
const READERS: ReadonlySet<string> = new Set(['c1', 'c2'])

/** What may be tried, by name. */
export const AMBUSHES = {
  lateAnswers,
  lateHandOver,
  amnesia,
  blindSuccessor,
  splitChange,
  wipedVoter,
} as const

export type AmbushName = keyof typeof AMBUSHES

/** Somebody who sees everything and strikes when it hurts: moments that faults by chance meet once in a thousand seeds. */
export class Ambusher<S> {
  readonly #nodeOf: (server: S) => RaftNode
  readonly #names: readonly AmbushName[]
  #busy = false
  #stage: Stage | null = null

  constructor(nodeOf: (server: S) => RaftNode, names: readonly AmbushName[]) {
    this.#nodeOf = nodeOf
    this.#names = names
  }

  act(draw: number, operated: Operated<S>): void {
    if (this.#busy) return
    this.#busy = true
    const random = seededRandom(draw)
    const name = this.#names[random.integer(0, this.#names.length - 1)] as AmbushName
    const node = (id: NodeId): RaftNode | undefined => {
      const server = operated.servers.get(id)
      return server === undefined ? undefined : this.#nodeOf(server)
    }
    const stage = new Stage(operated, node, random)
    this.#stage = stage
    const rested = (): void => {
      this.#busy = false
    }
    const rest = (): void => void operated.clock.setTimer(REST_MS, rested)
    AMBUSHES[name](stage).then(rest, rest)
  }

  check(): void {
    for (const text of this.#stage?.broken ?? []) mustHold(false, text)
  }
}

/** The scenario `ambush`: the clients of `reads`, and an {@link Ambusher} in place of faults by chance. */
export function ambushScenario(
  names: readonly AmbushName[] = Object.keys(AMBUSHES) as AmbushName[],
): ReturnType<typeof registersScenario> {
  return registersScenario({
    name: 'ambush',
    nodes: [3],
    clients: [6],
    callTimeout: CALL_TIMEOUT_MS,
    draw: (random, place) =>
      READERS.has(place.client) ? drawLeaseRead(random) : drawRegistersOp(random, place),
    faults: ['operate'],
    operator: () => new Ambusher(({ node }) => node, names),
    operateShare: 1,
    operateGapMs: 250,
  })
}

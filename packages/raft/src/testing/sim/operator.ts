/**
 * Somebody who changes the cluster while everything else goes wrong: adds, removes, replaces, promotes and demotes servers, hands
 * over leadership, and has servers that were removed come back under their names with empty disks.
 */
import { seededRandom, type Random } from '@lab/rpc'
import type { Operated } from '@lab/sim'
import type { MembershipChangeInput } from '../../admin/check-change.ts'
import { isMember } from '../../core/membership.ts'
import type { RaftNode } from '../../node.ts'
import type { NodeId } from '../../types.ts'

/** With fewer voters one disk found damaged could be the end of the cluster. */
const VOTERS_MIN = 3
const PATIENCE_MS = 1500

/** One operator, who does one thing after the other. Made anew for each run. */
export class Operator<S> {
  readonly #nodeOf: (server: S) => RaftNode
  readonly #switches: { readonly leases: boolean }
  #busy = false
  #acts = 0
  /** Removed for certain, by a change that was committed, and not asked back since: their disks are not needed any more. */
  readonly #out = new Set<NodeId>()

  /** @param switches what may be turned off and on again */
  constructor(nodeOf: (server: S) => RaftNode, switches: { readonly leases: boolean }) {
    this.#nodeOf = nodeOf
    this.#switches = switches
  }

  /** Begins something, unless the last thing is not done yet. What comes of it, and whether, is for the cluster to bear. */
  act(draw: number, operated: Operated<S>): void {
    const random = seededRandom(draw)
    const ids = [...operated.servers.keys()].sort()
    const server = operated.servers.get(oneOf(ids, random) ?? '')
    if (server === undefined || this.#busy) return
    this.#busy = true
    const act = ++this.#acts
    const done = (): void => {
      if (act === this.#acts) this.#busy = false
    }
    this.#doSomething(this.#nodeOf(server), operated, random).then(done, done)
    // Whoever was asked may have died without an answer.
    operated.clock.setTimer(2 * PATIENCE_MS, done)
  }

  async #doSomething(node: RaftNode, operated: Operated<S>, random: Random): Promise<void> {
    const dice = random.next()
    const out = oneOf([...this.#out].sort(), random)
    if (dice < 0.3 && out !== undefined) operated.wipe(out)
    else if (dice < 0.45) await this.#handOver(node, random)
    else await this.#change(node, operated, random)
  }

  async #handOver(node: RaftNode, random: Random): Promise<void> {
    const options = { timeout: PATIENCE_MS }
    const to = oneOf(node.status().voters, random)
    if (random.next() < 0.2) await node.stepDown(options)
    else
      await (random.next() < 0.3
        ? node.transferLeadership(undefined, options)
        : node.transferLeadership(to, options))
  }

  async #change(node: RaftNode, { cluster }: Operated<S>, random: Random): Promise<void> {
    const all = [...cluster.nodes, ...cluster.spares]
    const members = anyChange(node, all, random)
    const change = this.#switches.leases ? { ...members, leases: random.next() < 0.7 } : members
    for (const id of Object.keys({ ...change.add, ...change.addLearners })) this.#out.delete(id)
    const act = this.#acts
    // The numbers are those that this server knows: a leader that knows others refuses.
    const options = { timeout: PATIENCE_MS, ifIndex: node.status().membershipIndex }
    const { membership, committed } = await node.changeMembership(change, options)
    // An answer may come from a server that slept: since then much may have changed.
    if (!committed || act !== this.#acts || !this.#busy) return
    for (const id of change.remove ?? []) if (!isMember(membership, id)) this.#out.add(id)
  }
}

/** From who takes part, as `node` has it, to any other set that leaves enough voters. */
function anyChange(node: RaftNode, all: readonly NodeId[], random: Random): MembershipChangeInput {
  const { voters, learners } = node.status()
  const add: Record<NodeId, string> = {}
  const addLearners: Record<NodeId, string> = {}
  const remove: NodeId[] = []
  const demote: NodeId[] = []
  const promote: NodeId[] = []
  for (const id of all) {
    const dice = random.next()
    const address = `memory://${id}`
    if (learners.includes(id)) {
      if (dice < 0.5) promote.push(id)
      else if (dice < 0.6) remove.push(id)
    } else if (!voters.includes(id)) {
      if (dice < 0.5) add[id] = address
      else if (dice < 0.65) addLearners[id] = address
    } else if (dice < 0.25) remove.push(id)
    else if (dice < 0.3) demote.push(id)
  }
  const left =
    voters.length +
    Object.keys(add).length +
    promote.length -
    remove.filter((id) => voters.includes(id)).length
  if (left - demote.length < VOTERS_MIN) return { promote, add, addLearners, remove: [], demote: [] }
  return { add, addLearners, remove, demote, promote }
}

function oneOf<T>(list: readonly T[], random: Random): T | undefined {
  return list.length === 0 ? undefined : list[random.integer(0, list.length - 1)]
}

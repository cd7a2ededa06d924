/** What must hold of real nodes at every step: what they trace obeys Raft's rules, and what they say of themselves is in order. */
import type { TraceEvent } from '@lab/rpc'
import { mustHold, type Operation, type Watched, type Watcher } from '@lab/sim'
import { formatViolation, TraceChecker } from '@lab/trace'
import type { NodeStatus } from '../../node.ts'

export interface RaftWatcherOptions<S, Op = unknown, Result = unknown> extends Watched<S> {
  readonly statusOf: (server: S) => NodeStatus
  /** Of a server's whole state: equal on all that have applied the same. */
  readonly digestOf?: (server: S) => string
  /** Throws, saying what is wrong; asked whenever terms or indexes may have changed. */
  readonly check?: () => void
  /** Looks at a server at the end, with all that clients saw. */
  readonly judge?: (server: S, operations: readonly Operation<Op, Result>[]) => void
}

type Seen = Pick<NodeStatus, 'term' | 'commitIndex' | 'appliedIndex'>

export class RaftWatcher<S, Op, Result> implements Watcher<Op, Result> {
  readonly #options: RaftWatcherOptions<S, Op, Result>
  readonly #checker = new TraceChecker()
  /** Of the present life of each server. */
  readonly #seen = new Map<string, Seen>()
  /** Whose terms and indexes may be others than at the last look. */
  #stirred: string[] = []
  /** How many servers there were when they were found not to agree; -1 when something was told since. */
  #apart = -1

  constructor(options: RaftWatcherOptions<S, Op, Result>) {
    this.#options = options
  }

  event(event: TraceEvent): void {
    switch (event.k) {
      // Messages are many, and what they lead to is told by other events.
      case 'send':
      case 'recv':
      case 'drop':
        return
      case 'start':
      case 'role':
      case 'commit':
      case 'apply':
      case 'snapshot':
      case 'truncate':
        if (!this.#stirred.includes(event.n)) this.#stirred.push(event.n)
        this.#apart = -1
        break
      case 'append':
      case 'config':
        this.#apart = -1
        break
      default: // moves nothing
    }
    const violation = this.#checker.feed(event)[0]
    if (violation !== undefined) mustHold(false, formatViolation(violation))
  }

  ended(node: string): void {
    this.#seen.delete(node)
    this.#apart = -1
  }

  /** snapshot ≤ applied ≤ commit ≤ last; term, commitIndex and lastApplied only grow in one life. */
  step(): void {
    const stirred = this.#stirred
    if (stirred.length === 0) return
    this.#stirred = []
    for (const id of stirred) {
      const server = this.#options.servers.get(id)
      if (server !== undefined) this.#look(id, this.#options.statusOf(server))
    }
    this.#options.check?.()
  }

  hasConverged(): boolean {
    const { servers, statusOf } = this.#options
    if (this.#apart === servers.size) return false
    const agree = haveConverged([...servers.values()].map(statusOf))
    this.#apart = agree ? -1 : servers.size
    return agree
  }

  /** State machine safety, as far as states show it: those that have applied the same are the same. */
  end(operations: readonly Operation<Op, Result>[]): void {
    const { servers, statusOf, digestOf, judge } = this.#options
    const leader = leaderAmong([...servers.values()].map(statusOf))
    const all = [...servers]
      .filter(([id]) => leader !== null && isMember(id, leader))
      .map(([id, server]) => ({ id, server, digest: digestOf?.(server) }))
    const [first] = all
    for (const { id, digest } of all)
      mustHold(
        digest === first?.digest,
        `${id} and ${first?.id ?? ''} have applied the same and differ (§5.4.3)`,
      )
    if (first !== undefined) judge?.(first.server, operations)
  }

  #look(id: string, status: NodeStatus): void {
    const { term, commitIndex, appliedIndex, lastIndex, snapshotIndex } = status
    // Told only when it is so: a text for each look would cost more than the look.
    if (snapshotIndex > appliedIndex || appliedIndex > commitIndex || commitIndex > lastIndex) {
      const order = `snapshot ${snapshotIndex}, applied ${appliedIndex}, commit ${commitIndex}, last ${lastIndex}`
      mustHold(false, `${id}: ${order} are out of order (Figure 2)`)
    }
    const before = this.#seen.get(id)
    if (before !== undefined) {
      if (term < before.term)
        mustHold(false, `${id}: the term went back from ${before.term} to ${term} (Figure 2)`)
      if (commitIndex < before.commitIndex) mustHold(false, `${id}: commitIndex went back (Figure 2)`)
      if (appliedIndex < before.appliedIndex) mustHold(false, `${id}: lastApplied went back (Figure 2)`)
    }
    this.#seen.set(id, { term, commitIndex, appliedIndex })
  }
}

function haveConverged(all: readonly NodeStatus[]): boolean {
  const leader = leaderAmong(all)
  if (leader === null || leader.votersOutgoing.length > 0) return false
  const voters = all.filter(({ id }) => leader.voters.includes(id))
  return voters.length * 2 > leader.voters.length && all.every((status) => isEqual(status, leader))
}

/** Of those that say that they lead, the one of the latest term: an earlier one may not have heard of it yet. */
function leaderAmong(all: readonly NodeStatus[]): NodeStatus | null {
  let leader: NodeStatus | null = null
  for (const status of all) if (status.role === 'leader' && status.term > (leader?.term ?? 0)) leader = status
  return leader
}

function isMember(id: string, { voters, learners }: NodeStatus): boolean {
  return voters.includes(id) || learners.includes(id)
}

/** Servers that were removed, or wait to be added, need not know anything. */
function isEqual({ id, term, appliedIndex, commitIndex }: NodeStatus, leader: NodeStatus): boolean {
  if (!isMember(id, leader)) return true
  return term === leader.term && commitIndex === leader.lastIndex && appliedIndex === leader.lastIndex
}

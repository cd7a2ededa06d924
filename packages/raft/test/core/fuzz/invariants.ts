/** What must hold at every moment (Figure 3 and what follows from durability), checked as the cluster runs. */
import { assert } from '@lab/rpc'
import { EntryKind, payloadOf, type Entry } from '../../../src/entry.ts'
import { crc32 } from '../../../src/crc32.ts'
import type { Envelope } from '../../../src/core/messages.ts'
import { decodeMembership, describeMembership } from '../../../src/core/membership.ts'
import type { CoreStatus } from '../../../src/core/ready.ts'
import type { Index, Membership, NodeId, Term } from '../../../src/types.ts'
import type { FakeDisk } from '../support/fake-disk.ts'

/** Machine state after entry `index`, as one number: the same on every server (Figure 3, state machine safety). */
export function nextState(before: number, entry: Entry): number {
  const numbers = new Uint8Array(
    new Float64Array([before, entry.index, entry.term, entry.kind, entry.time]).buffer,
  )
  return crc32(payloadOf(entry), 0, undefined, crc32(numbers))
}

export class Invariants {
  readonly #disks: ReadonlyMap<NodeId, FakeDisk>
  readonly #leaders = new Map<Term, NodeId>()
  /** By `index/term`: the one payload and the one term before it that ever stood there. */
  readonly #entries = new Map<string, { readonly crc: number; readonly before: Term | undefined }>()
  readonly #committed = new Map<Index, Term>()
  readonly #states = new Map<Index, number>()
  readonly #seen = new Map<NodeId, CoreStatus>()
  /** The newest configuration that is committed; null before the first. */
  membership: Membership | null = null
  /** The highest index that any server knew to be committed. */
  commitIndex: Index = 0
  /** The latest term that had a leader. */
  lastTerm: Term = 0

  constructor(disks: ReadonlyMap<NodeId, FakeDisk>) {
    this.#disks = disks
  }

  /** Election safety: at most one leader in a term. Leader completeness: it has every committed entry. */
  leads(id: NodeId, term: Term): void {
    const other = this.#leaders.get(term)
    assert(
      other === undefined || other === id,
      `election safety: ${id} leads term ${String(term)} beside ${String(other)}`,
    )
    if (other === id) return
    this.#leaders.set(term, id)
    this.lastTerm = Math.max(this.lastTerm, term)
    for (const [index, committedTerm] of this.#committed)
      assert(
        this.#disk(id).holds(index, committedTerm),
        `leader completeness: ${id} lacks entry ${String(index)}`,
      )
  }

  /** Log matching: an index and a term name one entry with one predecessor, by induction one log. */
  stored(entry: Entry, before: Term | undefined): void {
    const key = `${String(entry.index)}/${String(entry.term)}`
    const crc = crc32(payloadOf(entry), 0, undefined, entry.kind)
    const known = this.#entries.get(key)
    if (known === undefined) {
      this.#entries.set(key, { crc, before })
      return
    }
    assert(known.crc === crc, `log matching: two entries at ${key}`)
    assert(
      before === undefined || known.before === undefined || known.before === before,
      `log matching: two logs before ${key}`,
    )
  }

  /** What is committed is durable, and nothing else ever stands there. */
  committed(id: NodeId, entry: Entry): void {
    const { index, term } = entry
    const known = this.#committed.get(index)
    if (known === undefined) {
      this.#committed.set(index, term)
      if (entry.kind === EntryKind.configuration) this.#configured(decodeMembership(payloadOf(entry)))
    }
    assert(known === undefined || known === term, `${id} committed another entry at ${String(index)}`)
    assert(
      this.#disk(id).holds(index, term),
      `${id} applies entry ${String(index)} before it is durable there`,
    )
  }

  /** §6: voters change by way of a joint configuration, which names the old ones, and by no other. */
  #configured(next: Membership): void {
    const before = this.membership
    this.membership = next
    if (before === null) return
    const [now, old, then] = [next.voters, next.votersOutgoing, before.voters].map((ids) =>
      [...ids].sort().join(),
    )
    const legal =
      before.votersOutgoing.length > 0 ? old === '' && now === then : old === '' ? now === then : old === then
    assert(legal, `§6: ${describeMembership(before)} was followed by ${describeMembership(next)}`)
  }

  /** What a leader commits sits on the disks of a majority of its voters, and of the old ones while there are such (§6). */
  #commits({ id, commitIndex, currentTerm }: CoreStatus, membership: Membership): void {
    for (const voters of [membership.voters, membership.votersOutgoing].filter((ids) => ids.length > 0)) {
      const holding = voters.filter((voter) => this.#disk(voter).holds(commitIndex, currentTerm))
      assert(
        holding.length * 2 > voters.length,
        `${id} committed entry ${String(commitIndex)} with ${holding.join()} of ${describeMembership(membership)}`,
      )
    }
  }

  /** State machine safety. */
  applied(id: NodeId, index: Index, state: number): void {
    const known = this.#states.get(index) ?? state
    assert(known === state, `state machine safety: ${id} differs after entry ${String(index)}`)
    this.#states.set(index, state)
  }

  /** Terms and commitIndex never go back, and indexes keep their order. */
  status(status: CoreStatus): void {
    const { id, commitIndex, durableIndex, lastIndex, snapshotIndex, currentTerm } = status
    const before = this.#seen.get(id)
    assert(snapshotIndex <= commitIndex && commitIndex <= lastIndex, `${id}: snapshot ≤ commit ≤ last`)
    assert(durableIndex <= lastIndex, `${id}: durable ≤ last`)
    assert(this.#disk(id).lastIndex >= durableIndex, `${id}: what counts as durable is on disk`)
    if (before !== undefined) {
      assert(currentTerm >= before.currentTerm, `${id}: the term went back`)
      assert(commitIndex >= before.commitIndex, `${id}: commitIndex went back`)
    }
    if (status.role === 'leader') this.leads(id, currentTerm)
    // By the configuration of before: one that this turn appended decides from the next turn on.
    const led = before?.role === 'leader' && before.currentTerm === currentTerm
    if (led && commitIndex > before.commitIndex) this.#commits(status, before.membership)
    this.#seen.set(id, status)
    this.commitIndex = Math.max(this.commitIndex, commitIndex)
  }

  crashed(id: NodeId): void {
    this.#seen.delete(id)
  }

  /** No promise leaves before what it rests on is durable. */
  sent(from: NodeId, { to, message }: Envelope): void {
    const disk = this.#disk(from)
    const { currentTerm, votedFor } = disk.hardState
    const promises =
      !(message.type === 'RequestVote' && message.preVote) &&
      !(message.type === 'RequestVoteReply' && message.preVote)
    if (promises)
      assert(currentTerm >= message.term, `${from} sent ${message.type} of a term that is not durable`)
    if (message.type === 'RequestVoteReply' && !message.preVote && message.voteGranted)
      assert(
        currentTerm > message.term || votedFor === to,
        `${from} told ${to} of a vote that is not durable`,
      )
    if (message.type === 'RequestVote' && !message.preVote)
      assert(currentTerm > message.term || votedFor === from, `${from} campaigns, its own vote not durable`)
    if (message.type === 'AppendEntriesReply' && message.success)
      assert(
        disk.lastIndex >= message.matchIndex,
        `${from} acknowledged entry ${String(message.matchIndex)}, durable is ${String(disk.lastIndex)}`,
      )
    if (message.type === 'InstallSnapshotReply' && message.installed)
      assert(disk.lastIndex >= message.index, `${from} reported a snapshot that is not durable`)
  }

  /** A read sees everything that was committed anywhere when it was asked for. */
  readAnswered(id: NodeId, committedBefore: Index, index: Index): void {
    assert(
      index >= committedBefore,
      `stale read: ${id} answered with ${String(index)}, committed was ${String(committedBefore)}`,
    )
  }

  /** While a lease holds nobody leads a later term, and its holder knows all that is committed (thesis §6.4.1). */
  leaseHeld({ id, currentTerm }: CoreStatus, index: Index): void {
    this.readAnswered(id, this.commitIndex, index)
    assert(
      currentTerm >= this.lastTerm,
      `${id} holds a lease in term ${String(currentTerm)}, term ${String(this.lastTerm)} has a leader`,
    )
  }

  #disk(id: NodeId): FakeDisk {
    const disk = this.#disks.get(id)
    assert(disk !== undefined, 'every server has a disk')
    return disk
  }
}

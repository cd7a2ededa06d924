/**
 * Linearizable reads without writing to the log (thesis §6.4): the leader notes its commitIndex, and proves with a round of
 * answers that began *afterwards* that it still leads. Rounds count up in a term and reads belong to exactly one, so an
 * answer that comes late can never confirm a newer read.
 */
import { markRound, nextLeaseRound } from './lease.ts'
import { quorumReached } from './quorum.ts'
import type { Leadership, State } from './state.ts'

/** Asks for an index at which to read; answered in `Ready.reads`. Not on a leader: with null, in the next one. */
export function readIndex(state: State): number {
  const id = ++state.lastReadId
  if (state.leadership === null) state.outbox.reads.push({ id, index: null })
  else state.leadership.waitingReads.push(id)
  return id
}

/** One round for all reads that came since the last; they wait for the first commit of this term (§8). Leases need rounds too. */
export function beginRound(state: State, leadership: Leadership): void {
  const reading = leadership.waitingReads.length > 0 && state.commitIndex >= leadership.firstIndex
  if (!reading && state.now < nextLeaseRound(state, leadership)) return
  leadership.round++
  markRound(state, leadership)
  if (!reading) return
  leadership.readRounds.push({
    round: leadership.round,
    index: state.commitIndex,
    ids: leadership.waitingReads,
  })
  leadership.waitingReads = []
}

/** Answers the reads whose round a majority has answered; the leader counts for itself. */
export function answerReads(state: State, leadership: Leadership): void {
  const { readRounds, followers, round } = leadership
  if (readRounds.length === 0) return
  const confirmed = quorumReached(state.membership, (id) =>
    id === state.id ? round : (followers.get(id)?.ackedRound ?? 0),
  )
  while (readRounds[0] !== undefined && readRounds[0].round <= confirmed) {
    const { ids, index } = readRounds[0]
    for (const id of ids) state.outbox.reads.push({ id, index })
    readRounds.shift()
  }
}

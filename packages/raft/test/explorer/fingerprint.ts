/**
 * What of a world decides its future, as text: everything inside the cores, the disks, what is in flight and what is left of the
 * budget. Times are relative to the server's own clock, and worlds that differ in the servers' names only have one text.
 */
import { Raft } from '../../src/core/raft.ts'
import type { Envelope } from '../../src/core/messages.ts'
import type { Progress } from '../../src/core/progress.ts'
import type { State } from '../../src/core/state.ts'
import { payloadOf } from '../../src/entry.ts'
import type { NodeId } from '../../src/types.ts'
import { encodeMessage } from '../../src/wire.ts'
import type { Server, World } from './world.ts'

/** Longer ago than any timeout makes no difference. */
const LONG_AGO_MS = 1000

/** Other names for the servers, by their own. */
type Names = ReadonlyMap<NodeId | null, string>

export function fingerprint(world: World): string {
  const { servers, flying } = world
  const budget = `${String(world.crashes)},${String(world.drops)},${String(world.proposals)},${String(world.commitIndex)}`
  // Servers in the order of what can be said of them without names; only those that are alike need be tried in every order.
  const alone = new Map(servers.map((server) => [server, withoutNames(server)]))
  const sorted = [...servers].sort((a, b) => compare(alone.get(a) ?? '', alone.get(b) ?? ''))
  let least: string | undefined
  for (const order of orders(sorted, (a, b) => alone.get(a) === alone.get(b))) {
    const names: Names = new Map<NodeId | null, string>([
      [null, '-'],
      ['', '-'],
      ...order.map(({ id }, at) => [id, String(at)] as const),
    ])
    const all = order.map((server) => `${alone.get(server) ?? ''}${withNames(server, names)}`)
    const messages = flying.map(
      ({ from, to, text }) => `${names.get(from) ?? ''}>${names.get(to) ?? ''}:${text}`,
    )
    const text = [budget, ...all, ...messages.sort(compare)].join('\n')
    if (least === undefined || text < least) least = text
  }
  return least ?? ''
}

function withoutNames({ core, disk, write, now, applied }: Server): string {
  const state = Raft.stateOf(core)
  const { log, durability, commitIndex, handedOutIndex, appliedIndex } = state
  const ago = (time: number): number => Math.max(time - now, -LONG_AGO_MS)
  return [
    state.role,
    state.currentTerm,
    state.election?.preVote,
    ago(state.electionDeadline),
    ago(state.leaderHeardAt),
    commitIndex,
    handedOutIndex,
    appliedIndex,
    applied,
    terms(log.lastIndex, (index) => log.termAt(index)),
    durability.durableIndex,
    durability.pending(log),
    ago(durability.writingSince),
    disk.hardState.currentTerm,
    terms(disk.lastIndex, (index) => disk.termAt(index)),
    disk.entries.map((entry) => [...payloadOf(entry)].join('.')).join(),
    write === null
      ? '-'
      : `${String(write.hardState?.currentTerm)}/${write.entries.map(({ index, term }) => `${String(index)}.${String(term)}`).join()}`,
  ].join()
}

function withNames({ core, disk, write, held, now }: Server, names: Names): string {
  const state = Raft.stateOf(core)
  const name = (id: NodeId | null): string => names.get(id) ?? '?'
  const votes = [...(state.election?.votes ?? [])].map(([id, vote]) => `${name(id)}${String(vote)}`)
  const letters = (envelopes: readonly Envelope[]): string =>
    envelopes
      .map(({ to, message }) => name(to) + String.fromCharCode(...encodeMessage(message)))
      .sort(compare)
      .join()
  const { forInFlight, forNext } = state.durability.waiting
  return [
    '',
    name(state.votedFor),
    name(state.leader),
    votes.sort(compare).join(),
    leadershipText(state, now, name),
    name(disk.hardState.votedFor),
    name(write?.hardState?.votedFor ?? null),
    letters(held),
    letters(forInFlight),
    letters(forNext),
  ].join('|')
}

function leadershipText({ leadership }: State, now: number, name: (id: NodeId) => string): string {
  if (leadership === null) return ''
  const { firstIndex, round, uncommittedBytes, commitNoticeAt, followers } = leadership
  const ago = (time: number): number => Math.max(time - now, -LONG_AGO_MS)
  const follower = (one: Progress): string =>
    [
      name(one.id),
      one.state,
      one.matchIndex,
      one.nextIndex,
      one.probing,
      one.inflight.messages,
      ago(one.sentAt),
      ago(one.askedAt),
      ago(one.heardAt),
      one.sentRound,
      one.ackedRound,
      one.sentCommit,
    ].join()
  const all = [...followers.values()].map(follower).sort(compare)
  return [firstIndex, round, uncommittedBytes, ago(commitNoticeAt), ...all].join(';')
}

function terms(last: number, termAt: (index: number) => number | undefined): string {
  let text = ''
  for (let index = 1; index <= last; index++) text += String(termAt(index))
  return text
}

/** Every order that keeps those in their places that `alike` tells apart; `sorted` has those that are alike side by side. */
function* orders<T>(sorted: readonly T[], alike: (a: T, b: T) => boolean): Generator<readonly T[]> {
  const [first] = sorted
  if (first === undefined) {
    yield []
    return
  }
  for (let at = 0; at < sorted.length && alike(first, sorted[at] as T); at++) {
    const rest = sorted.filter((_, other) => other !== at)
    for (const order of orders(rest, alike)) yield [sorted[at] as T, ...order]
  }
}

/** By character codes: `localeCompare` would depend on the machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Who knows whom: what nodes do at the handshake (src/driver/handshake.ts), and who may lose its disk. */
import { decodeMembership, membersOf } from '../../../src/core/membership.ts'
import type { Raft } from '../../../src/core/raft.ts'
import { agreedIncarnation, judge } from '../../../src/driver/incarnations.ts'
import { payloadOf } from '../../../src/entry.ts'
import type { Index, Membership, NodeId } from '../../../src/types.ts'
import type { FakeDisk } from '../support/fake-disk.ts'
import type { Cluster } from './cluster.ts'
import type { Counts } from './counts.ts'

export interface Sender {
  readonly id: NodeId
  readonly incarnation: number
  /** Where its newest configuration stands. */
  readonly index: Index
}

export function isMember(membership: Membership, id: NodeId): boolean {
  return membersOf(membership).includes(id)
}

/** Does the server with this core and disk listen to `from`? */
export function admits(core: Raft | null, { peers }: FakeDisk, from: Sender, counts: Counts): boolean {
  if (core === null) return false
  const configurations = core.configurations()
  if (!configurations.some((membership) => isMember(membership, from.id)))
    return from.index > (configurations[0]?.index ?? 0)
  const incarnation = String(from.incarnation)
  const judgement = judge(incarnation, agreedIncarnation(configurations, from.id), peers.get(from.id))
  if (judgement === 'new') peers.set(from.id, incarnation)
  if (judgement === 'wiped') counts.refusedWiped++
  return judgement !== 'wiped'
}

/**
 * Does the server take `leader` for one that was wiped? A server that was away, was removed with its disk and is added again without
 * being emptied may have missed that its leader was replaced, too: it listens to nobody until an operator empties it.
 */
export function mistakes(
  core: Raft | null,
  { peers }: FakeDisk,
  leader: Pick<Sender, 'id' | 'incarnation'>,
): boolean {
  if (core === null) return false
  const agreed = agreedIncarnation(core.configurations(), leader.id)
  return judge(String(leader.incarnation), agreed, peers.get(leader.id)) === 'wiped'
}

/** No change of membership is under way for longer, or its leader has lost office. */
const CHANGE_MS_MAX = 1000

/** Was it removed, or never added, and is no change under way that would add it? */
export function isOut({ invariants, namedAt, now, servers, disks }: Cluster, id: NodeId): boolean {
  const { membership } = invariants
  if (membership === null || isMember(membership, id)) return false
  if (now - (namedAt.get(id) ?? -Infinity) < CHANGE_MS_MAX) return false
  const onDisks = [...disks.values()].flatMap((disk) =>
    disk.recovered().configurations.map((entry) => decodeMembership(payloadOf(entry))),
  )
  const known = [...onDisks, ...servers.flatMap(({ core }) => core?.configurations() ?? [])]
  return known.every((later) => later.index <= membership.index || !isMember(later, id))
}

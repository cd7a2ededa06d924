/** Beginning again after the worst: a cluster from a backup, or from one server when a majority is gone for good. */
import type { Address } from '@lab/rpc'
import { bootstrapMembership } from '../bootstrap.ts'
import { decodeMembership, encodeMembership } from '../core/membership.ts'
import { EntryKind, payloadOf } from '../entry.ts'
import { badRequest } from '../errors.ts'
import { makeEntry } from '../record.ts'
import { StorageError, type Recovered, type Storage } from '../storage.ts'
import type { Index, Membership, NodeId, Term } from '../types.ts'
import type { Backup } from './backup.ts'

export interface NewCluster {
  readonly clusterId: string
  readonly nodeId: NodeId
  /** Of all its servers: each is given the same, and the same backup. */
  readonly members: Readonly<Record<NodeId, readonly Address[]>>
}

/**
 * Puts a backup into an empty storage, as the beginning of a new cluster: to be done for each of its servers before the first
 * starts.
 *
 * @throws {RaftError} `BAD_REQUEST` when the storage holds data already, or the server is no member
 * @throws {StorageError} `CORRUPT` when the backup is damaged: nothing counts then
 */
export async function restoreBackup(
  storage: Storage,
  { header, state }: Backup,
  { clusterId, nodeId, members }: NewCluster,
): Promise<void> {
  if (!(nodeId in members)) throw badRequest(`${nodeId} is none of ${Object.keys(members).join(', ')}`)
  const recovered = await storage.open({ clusterId, nodeId })
  try {
    if (!recovered.fresh) throw badRequest('this storage holds data already: restore into an empty one')
    const { leases } = decodeMembership(header.meta.membership)
    const membership = encodeMembership(bootstrapMembership(members, leases))
    const writer = await storage.createSnapshot({ ...header.meta, membership })
    try {
      for await (const chunk of state) await writer.write(chunk)
      await writer.commit({ size: header.size, crc: header.crc })
    } catch (thrown) {
      await writer.abort().catch(() => undefined)
      throw thrown
    }
    await storage.write({ entries: [], hardState: { currentTerm: header.meta.term, votedFor: '' } })
  } finally {
    await storage.close()
  }
}

/** What one stopped server's storage holds, and what recovering from it alone may lose. */
export interface RecoveryReport {
  readonly clusterId: string
  readonly nodeId: NodeId
  readonly currentTerm: Term
  readonly lastIndex: Index
  readonly lastTerm: Term
  /** Everything up to here was certainly committed; 0 for no snapshot. */
  readonly snapshotIndex: Index
  /** The configuration that it knows. */
  readonly membership: Membership
  /** The one that {@link recoverStorage} forces. */
  readonly forced: Membership
  /** In sentences, for people. */
  readonly risks: readonly string[]
}

/** Looks at a stopped server's storage and changes nothing. @throws {StorageError} */
export async function inspectStorage(
  storage: Storage,
  owner: { readonly clusterId: string; readonly nodeId: NodeId },
  members?: NewCluster['members'],
): Promise<RecoveryReport> {
  const recovered = await storage.open(owner)
  try {
    return reportOf(recovered, members)
  } finally {
    await storage.close()
  }
}

/**
 * Makes a stopped server's log the truth: forces the configuration of `members` (default: this server alone) at its end. Only when a
 * majority is gone for good; on one server, the one with the latest last term and, among equal ones, the longest log.
 *
 * @throws {RaftError} `BAD_REQUEST` when there is nothing to recover, or this server would be no member
 * @throws {StorageError}
 */
export async function recoverStorage(
  storage: Storage,
  owner: { readonly clusterId: string; readonly nodeId: NodeId },
  members?: NewCluster['members'],
): Promise<RecoveryReport> {
  const recovered = await storage.open(owner)
  try {
    const report = reportOf(recovered, members)
    // A term that nobody has led in, so that no other entry of it can stand at that index on a server that comes back.
    const term = report.currentTerm + 1
    const entry = makeEntry({
      group: 0,
      kind: EntryKind.configuration,
      index: report.lastIndex + 1,
      term,
      time: recovered.lastTime,
      payload: encodeMembership(report.forced),
    })
    await storage.write({ entries: [entry], hardState: { currentTerm: term, votedFor: '' } })
    return report
  } finally {
    await storage.close()
  }
}

function reportOf(recovered: Recovered, members: NewCluster['members'] | undefined): RecoveryReport {
  const { identity, hardState, snapshot, lastIndex, terms, configurations, fresh } = recovered
  const { nodeId, clusterId } = identity
  if (fresh) throw badRequest('this storage is empty: there is nothing to recover')
  const last = configurations.at(-1)
  const membership =
    last !== undefined
      ? decodeMembership(payloadOf(last), last.index)
      : decodeMembership(snapshot?.membership ?? noConfiguration(), snapshot?.index ?? 0)
  const forced = {
    ...bootstrapMembership(members ?? { [nodeId]: membership.addresses[nodeId] ?? [] }, membership.leases),
    // By which this server knows that it is meant, if it was added to the cluster (core/role.ts).
    incarnations: { ...membership.incarnations, [nodeId]: identity.incarnation },
  }
  if (!forced.voters.includes(nodeId))
    throw badRequest(`${nodeId} is none of ${forced.voters.join(', ')}: it must be a member`)
  const snapshotIndex = snapshot?.index ?? 0
  const lastTerm = terms.at(-1)?.term ?? snapshot?.term ?? 0
  return {
    clusterId,
    nodeId,
    currentTerm: Math.max(hardState.currentTerm, lastTerm),
    lastIndex,
    lastTerm,
    snapshotIndex,
    membership,
    forced,
    risks: risksOf(nodeId, lastIndex, snapshotIndex, membership),
  }
}

function risksOf(nodeId: NodeId, lastIndex: Index, snapshotIndex: Index, membership: Membership): string[] {
  const others = membership.voters.filter((id) => id !== nodeId).join(', ') || 'nobody'
  return [
    `what ${others} acknowledged after entry ${String(lastIndex)} is lost, if there was anything; nobody can tell from here`,
    `entries ${String(snapshotIndex + 1)} to ${String(lastIndex)} count as committed from now on, also those whose clients were told that the outcome is unknown`,
    `${others} must never start again with their old data, or there are two clusters: wipe them and add them anew`,
  ]
}

function noConfiguration(): never {
  throw new StorageError(
    'CORRUPT',
    'neither snapshot nor log holds a configuration: this server was never part of a cluster',
  )
}

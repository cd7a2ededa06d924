/** What a start does with a folder: look whose it is, read it back, make it ready to be written. */
import type { Disk } from '@lab/rpc'
import type { Identity, StorageFailed } from '../../storage.ts'
import type { SnapshotMeta } from '../../types.ts'
import { corrupt } from './errors.ts'
import type { FileStorageOptions } from './file-host-storage.ts'
import { segmentNumber } from './format.ts'
import { IDENTITY_NAME, createIdentity, readIdentity, type Owner } from './identity.ts'
import type { GroupLog } from './group-log.ts'
import { TEMPORARY_SUFFIX } from './named-file.ts'
import { Peers, PEERS_NAME } from './peers.ts'
import { checkStart, recoverLog, type RecoveredLog } from './recover.ts'
import { removeLarge } from './remove-large.ts'
import { SegmentPool } from './segment-pool.ts'
import { SharedLog } from './shared-log.ts'
import { snapshotNumbers } from './snapshot-format.ts'
import { Snapshots } from './snapshots.ts'

export interface OpenFolder {
  readonly identity: Identity
  readonly log: SharedLog
  readonly peers: Peers
  readonly notes: readonly string[]
  readonly snapshotsOf: (group: number) => Snapshots
  /** Of a group whose removal is durable. Durable itself when it resolves. */
  readonly removeSnapshots: (group: number) => Promise<void>
}

type Options = Required<FileStorageOptions> & { readonly onFailed: StorageFailed }

/** The lock is held. @throws {StorageError | DiskError} and then nothing stays open */
export async function openFolder(directory: string, options: Options, owner: Owner): Promise<OpenFolder> {
  const { disk } = options
  const names = await cleanNames(disk, directory)
  const known = names.includes(IDENTITY_NAME) ? await readIdentity(disk, directory, owner) : null
  const peers = await Peers.read(disk, directory, names)
  const numbers = names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b)
  const recovered = await recoverLog(disk, directory, numbers)
  checkWhole(directory, names, known, recovered)
  const newest = await newestSnapshots(disk, directory, names, recovered.removed)
  for (const [group, state] of recovered.states)
    checkStart(directory, group, state, newest.get(group)?.index ?? 0)

  const { log, pool } = logOf(directory, options, numbers, recovered)
  const snapshots = new Map<number, Snapshots>()
  const snapshotsOf = (group: number): Snapshots => {
    const there =
      snapshots.get(group) ??
      new Snapshots({ disk, directory, group }, newest.get(group) ?? null, log.group(group))
    snapshots.set(group, there)
    return there
  }
  try {
    await log.start()
    // The first segment before the identity: a folder with an identity and no log has lost it.
    if (known === null) await pool.prepareFirst()
    for (const group of recovered.removed) await removeSnapshots(disk, directory, group)
    for (const [group, snapshot] of newest) await dropUnlessHeld(log.group(group), snapshot)
    return {
      identity: known ?? (await createIdentity(disk, directory, owner, options.random)),
      log,
      peers,
      notes: [...recovered.notes, ...(await durabilityNotes(disk, directory))],
      snapshotsOf,
      removeSnapshots: async (group) => {
        snapshots.delete(group)
        newest.delete(group)
        await removeSnapshots(disk, directory, group)
      },
    }
  } catch (thrown) {
    await log.close()
    throw thrown
  }
}

/** What is in the folder, without the remains of files that were never finished. */
async function cleanNames(disk: Disk, directory: string): Promise<string[]> {
  const names = await disk.list(directory)
  const unfinished = names.filter((name) => name.endsWith(TEMPORARY_SUFFIX) && isOurs(name))
  for (const name of unfinished) await disk.remove(`${directory}/${name}`)
  return names.filter((name) => !unfinished.includes(name))
}

function isOurs(temporary: string): boolean {
  const name = temporary.slice(0, -TEMPORARY_SUFFIX.length)
  const isOfLog = name === 'log' || segmentNumber(name) !== null
  return isOfLog || name === IDENTITY_NAME || name === PEERS_NAME || snapshotNumbers(name) !== null
}

/** A folder that was wiped in part must not pass for a new one, nor for one that knows less. */
function checkWhole(
  directory: string,
  names: readonly string[],
  identity: Identity | null,
  { segments, ready }: RecoveredLog,
): void {
  const isEmpty = segments.length === 0 && (ready.length === 0 || ready[0] === 1)
  const ours = names.filter((name) => name === PEERS_NAME || snapshotNumbers(name) !== null)
  if (identity === null && (!isEmpty || ours.length > 0))
    throw corrupt(`${directory}/${IDENTITY_NAME} is missing, and other files of a server are there`)
  if (identity !== null && segments.length === 0 && ready[0] !== 1)
    throw corrupt(`${directory}: the files of the log are missing, and ${IDENTITY_NAME} is there`)
}

/** The newest snapshot of each group that has one. */
async function newestSnapshots(
  disk: Disk,
  directory: string,
  names: readonly string[],
  removed: ReadonlySet<number>,
): Promise<Map<number, SnapshotMeta>> {
  const ofGroup = new Map<number, string[]>()
  for (const name of names) {
    const group = snapshotNumbers(name)?.group
    if (group === undefined || removed.has(group)) continue
    ofGroup.set(group, [...(ofGroup.get(group) ?? []), name])
  }
  const newest = new Map<number, SnapshotMeta>()
  for (const [group, files] of ofGroup) {
    const snapshot = await Snapshots.recover({ disk, directory, group }, files)
    if (snapshot !== null) newest.set(group, snapshot)
  }
  return newest
}

/** A crash may have come between a snapshot's commit and what the log does about it: here it is done. */
async function dropUnlessHeld(log: GroupLog, snapshot: SnapshotMeta): Promise<void> {
  if (!log.state.terms.holds(snapshot.index, snapshot.term)) await log.adopt(snapshot)
}

async function removeSnapshots(disk: Disk, directory: string, group: number): Promise<void> {
  const names = await disk.list(directory)
  const ours = names.filter((name) => snapshotNumbers(name)?.group === group)
  for (const name of ours) await removeLarge(disk, `${directory}/${name}`)
  if (ours.length > 0) await disk.syncDirectory(directory)
}

function logOf(
  directory: string,
  { disk, random, segmentBytes, sparesMax, onFailed }: Options,
  numbers: readonly number[],
  { states, sequence, segments, ready }: RecoveredLog,
): { readonly log: SharedLog; readonly pool: SegmentPool } {
  const next = (numbers.at(-1) ?? 0) + 1
  const pool = new SegmentPool({ disk, directory, segmentBytes, sparesMax }, ready, next)
  return { log: new SharedLog({ disk, random, pool, states, sequence, segments, onFailed }), pool }
}

async function durabilityNotes(disk: Disk, directory: string): Promise<readonly string[]> {
  if (await disk.isDurable(directory)) return []
  return [
    `${directory} is kept in memory by the system (tmpfs): what is written there is lost with the power`,
  ]
}

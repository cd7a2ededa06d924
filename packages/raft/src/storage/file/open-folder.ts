/** What a start does with a folder: look whose it is, read it back, make it ready to be written. */
import type { Disk } from '@lab/rpc'
import type { Identity, Recovered } from '../../storage.ts'
import type { SnapshotMeta } from '../../types.ts'
import { corrupt } from './errors.ts'
import { FileLog } from './file-log.ts'
import type { FileStorageOptions } from './file-storage.ts'
import { segmentNumber } from './format.ts'
import { IDENTITY_NAME, createIdentity, readIdentity, type Owner } from './identity.ts'
import { TEMPORARY_SUFFIX } from './named-file.ts'
import { Peers, PEERS_NAME } from './peers.ts'
import { checkStart, recoverLog, type RecoveredLog } from './recover.ts'
import { SegmentPool } from './segment-pool.ts'
import { snapshotNumbers } from './snapshot-format.ts'
import { Snapshots } from './snapshots.ts'

export interface OpenFolder {
  readonly log: FileLog
  readonly snapshots: Snapshots
  readonly peers: Peers
}

type Options = Required<FileStorageOptions>

/** The lock is held. @throws {StorageError | DiskError} and then nothing stays open */
export async function openFolder(
  directory: string,
  options: Options,
  owner: Owner,
): Promise<{ readonly folder: OpenFolder; readonly recovered: Recovered }> {
  const { disk } = options
  const names = await cleanNames(disk, directory)
  const known = names.includes(IDENTITY_NAME) ? await readIdentity(disk, directory, owner) : null
  const peers = await Peers.read(disk, directory, names)
  const snapshot = await Snapshots.recover(disk, directory, names)
  const numbers = names.flatMap((name) => segmentNumber(name) ?? []).sort((a, b) => a - b)
  const recoveredLog = await recoverLog(disk, directory, numbers)
  checkWhole(directory, names, known, recoveredLog)
  checkStart(directory, recoveredLog.replay, snapshot?.index ?? 0)

  const { log, pool } = logOf(directory, options, numbers, recoveredLog)
  const snapshots = new Snapshots(disk, directory, snapshot, log)
  try {
    await log.start()
    // The first segment before the identity: a folder with an identity and no log has lost it.
    if (known === null) await pool.prepareFirst()
    if (snapshot !== null) await dropUnlessHeld(log, recoveredLog, snapshot)
    const identity = known ?? (await createIdentity(disk, directory, owner, options.random))
    const recovered = await describe(directory, disk, { identity, snapshot, recoveredLog, peers })
    return { folder: { log, snapshots, peers }, recovered }
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
  return name === 'log' || name === IDENTITY_NAME || name === PEERS_NAME || snapshotNumbers(name) !== null
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

function logOf(
  directory: string,
  { disk, random, segmentBytes, sparesMax }: Options,
  numbers: readonly number[],
  { replay, segments, ready }: RecoveredLog,
): { readonly log: FileLog; readonly pool: SegmentPool } {
  const next = (numbers.at(-1) ?? 0) + 1
  const pool = new SegmentPool({ disk, directory, segmentBytes, sparesMax }, ready, next)
  return { log: new FileLog({ disk, random, pool, state: replay.state, segments }), pool }
}

/** A crash may have come between a snapshot's commit and what the log does about it: here it is done. */
async function dropUnlessHeld(log: FileLog, { replay }: RecoveredLog, snapshot: SnapshotMeta): Promise<void> {
  if (replay.state.terms.holds(snapshot.index, snapshot.term)) return
  await log.adopt(snapshot)
  replay.restart(snapshot)
}

async function describe(
  directory: string,
  disk: Disk,
  found: {
    readonly identity: Identity
    readonly snapshot: SnapshotMeta | null
    readonly recoveredLog: RecoveredLog
    readonly peers: Peers
  },
): Promise<Recovered> {
  const { replay, notes } = found.recoveredLog
  const { terms, hardState, sequence } = replay.state
  const durable = await disk.isDurable(directory)
  return {
    identity: found.identity,
    fresh: sequence === 0 && found.snapshot === null,
    hardState,
    snapshot: found.snapshot,
    firstIndex: terms.start.index + 1,
    lastIndex: terms.lastIndex,
    terms: terms.list(),
    configurations: replay.configurations,
    lastTime: replay.lastTime,
    peers: new Map(found.peers.known),
    notes: durable
      ? notes
      : [
          ...notes,
          `${directory} is kept in memory by the system (tmpfs): what is written there is lost with the power`,
        ],
  }
}

/** Storage of many groups in a folder: one log, one sync for what they write together. */
import { assert, systemRandom, type Disk, type DiskLock, type Random } from '@lab/rpc'
import { systemDisk } from '@lab/rpc/disk'
import type { HostStorage, RecoveredHost } from '../../host-storage.ts'
import { StorageError, type Storage, type StorageFailed } from '../../storage.ts'
import type { NodeId } from '../../types.ts'
import { withStorageErrors } from './errors.ts'
import { SEGMENT_BYTES_MIN } from './format.ts'
import { groupStorage, type GroupParts } from './group-storage.ts'
import type { Owner } from './identity.ts'
import { openFolder, type OpenFolder } from './open-folder.ts'

export interface FileStorageOptions {
  /** The machine's disk by default. */
  readonly disk?: Disk
  /** Draws the incarnation and the salts. */
  readonly random?: Random
  /** Size of the files that the log is made of; 16 MiB by default, at least 4 KiB. */
  readonly segmentBytes?: number
  /** How many files no longer needed are kept to be written again; 4 by default. */
  readonly sparesMax?: number
}

const SEGMENT_BYTES = 16 * 1024 * 1024
const GROUP_MAX = 2 ** 32 - 1

/**
 * Keeps log, term, vote and snapshots of many groups in `directory`, which it makes when it is missing; one process at a time.
 * What the files hold is described in `docs/log-format.md`.
 */
export function fileHostStorage(directory: string, options: FileStorageOptions = {}): HostStorage {
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
  assert(segmentBytes >= SEGMENT_BYTES_MIN, `a segment has at least ${String(SEGMENT_BYTES_MIN)} bytes`)
  return new FileHostStorage(directory, {
    disk: options.disk ?? systemDisk,
    random: options.random ?? systemRandom,
    segmentBytes,
    sparesMax: options.sparesMax ?? 4,
  })
}

class FileHostStorage implements HostStorage {
  readonly #directory: string
  readonly #options: Required<FileStorageOptions>
  readonly #groups = new Map<number, Storage>()
  readonly #removing = new Set<number>()
  #lock: DiskLock | null = null
  #folder: OpenFolder | null = null

  constructor(directory: string, options: Required<FileStorageOptions>) {
    this.#directory = directory
    this.#options = options
  }

  open(owner: Owner, onFailed: StorageFailed = () => undefined): Promise<RecoveredHost> {
    const { disk } = this.#options
    return withStorageErrors(async () => {
      await disk.makeDirectory(this.#directory)
      const lock = await disk.lock(this.#directory)
      try {
        const folder = await openFolder(this.#directory, { ...this.#options, onFailed }, owner)
        this.#lock = lock
        this.#folder = folder
        const { identity, log, peers, notes } = folder
        return { identity, groups: log.groups, peers: new Map(peers.known), notes }
      } catch (thrown) {
        await lock.release()
        throw thrown
      }
    })
  }

  group(group: number): Storage {
    assert(
      Number.isInteger(group) && group >= 0 && group <= GROUP_MAX,
      `a group is 0 to ${String(GROUP_MAX)}`,
    )
    let storage = this.#groups.get(group)
    if (storage === undefined) {
      storage = groupStorage(
        () => this.#partsOf(group),
        (id, incarnation) => this.rememberPeer(id, incarnation),
      )
      this.#groups.set(group, storage)
    }
    return storage
  }

  removeGroup(group: number): Promise<void> {
    return withStorageErrors(async () => {
      const { log, removeSnapshots } = this.#opened()
      this.#removing.add(group)
      try {
        await log.group(group).remove()
        await removeSnapshots(group)
        await log.forgotten(group)
      } finally {
        this.#removing.delete(group)
      }
    })
  }

  async rememberPeer(id: NodeId, incarnation: string): Promise<void> {
    const { log, peers } = this.#opened()
    log.checkSound()
    try {
      await peers.remember(id, incarnation)
    } catch (thrown) {
      throw log.fail(thrown)
    }
  }

  async close(): Promise<void> {
    const folder = this.#folder
    const lock = this.#lock
    this.#folder = null
    this.#lock = null
    await folder?.log.close()
    await folder?.peers.idle()
    await lock?.release()
  }

  #partsOf(group: number): GroupParts {
    const { identity, log, peers, snapshotsOf } = this.#opened()
    if (this.#removing.has(group)) throw new StorageError('CLOSED', `group ${String(group)} is being removed`)
    return { identity, shared: log, peers, log: log.group(group), snapshots: snapshotsOf(group) }
  }

  #opened(): OpenFolder {
    if (this.#folder === null)
      throw new StorageError('CLOSED', `the storage in ${this.#directory} is not open`)
    return this.#folder
  }
}

/** Storage in a folder. */
import { assert, systemRandom, type Disk, type DiskLock, type Random } from '@lab/rpc'
import { systemDisk } from '@lab/rpc/disk'
import { StorageError, type Recovered, type Storage } from '../../storage.ts'
import { storageError, withStorageErrors } from './errors.ts'
import { SEGMENT_BYTES_MIN } from './format.ts'
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

/**
 * Keeps log, term, vote and snapshots in `directory`, which it makes when it is missing; one process at a time. What the
 * files hold is described in `docs/log-format.md`.
 */
export function fileStorage(directory: string, options: FileStorageOptions = {}): Storage {
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES
  assert(segmentBytes >= SEGMENT_BYTES_MIN, `a segment has at least ${String(SEGMENT_BYTES_MIN)} bytes`)
  return new FileStorage(directory, {
    disk: options.disk ?? systemDisk,
    random: options.random ?? systemRandom,
    segmentBytes,
    sparesMax: options.sparesMax ?? 4,
  })
}

class FileStorage implements Storage {
  readonly #directory: string
  readonly #options: Required<FileStorageOptions>
  #lock: DiskLock | null = null
  #folder: OpenFolder | null = null

  constructor(directory: string, options: Required<FileStorageOptions>) {
    this.#directory = directory
    this.#options = options
  }

  open(owner: Owner): Promise<Recovered> {
    const { disk } = this.#options
    return withStorageErrors(async () => {
      await disk.makeDirectory(this.#directory)
      const lock = await disk.lock(this.#directory)
      try {
        const { folder, recovered } = await openFolder(this.#directory, this.#options, owner)
        this.#lock = lock
        this.#folder = folder
        return recovered
      } catch (thrown) {
        await lock.release()
        throw thrown
      }
    })
  }

  // The methods below are async although they only pass on: a storage that is not open rejects and never throws.
  async write(...[write]: Parameters<Storage['write']>): Promise<void> {
    await this.#opened().log.write(write)
  }

  async read(...[first, last, bytesMax]: Parameters<Storage['read']>): ReturnType<Storage['read']> {
    return this.#opened().log.read(first, last, bytesMax)
  }

  async compact(...[index]: Parameters<Storage['compact']>): Promise<void> {
    const { log, snapshots } = this.#opened()
    assert(index <= (snapshots.newest?.index ?? 0), 'only what a snapshot holds can be forgotten')
    await log.compact(index)
  }

  async createSnapshot(
    ...[meta]: Parameters<Storage['createSnapshot']>
  ): ReturnType<Storage['createSnapshot']> {
    const { log, snapshots } = this.#opened()
    log.checkSound()
    return snapshots.create(meta)
  }

  async openSnapshot(): ReturnType<Storage['openSnapshot']> {
    return this.#opened().snapshots.open()
  }

  async rememberPeer(...[id, incarnation]: Parameters<Storage['rememberPeer']>): Promise<void> {
    const { log, peers } = this.#opened()
    log.checkSound()
    try {
      await peers.remember(id, incarnation)
    } catch (thrown) {
      throw log.fail(storageError(thrown))
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

  #opened(): OpenFolder {
    if (this.#folder === null)
      throw new StorageError('CLOSED', `the storage in ${this.#directory} is not open`)
    return this.#folder
  }
}

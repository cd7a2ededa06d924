/** The snapshots of a group in a folder: one committed, perhaps one under way, and old ones that somebody still reads. */
import { assert, type Disk } from '@lab/rpc'
import type { SnapshotReader, SnapshotWriter } from '../../storage.ts'
import type { SnapshotMeta } from '../../types.ts'
import { corrupt, withStorageErrors } from './errors.ts'
import { removeLarge } from './remove-large.ts'
import { snapshotName, snapshotNumbers } from './snapshot-format.ts'
import { SnapshotFileReader } from './snapshot-reader.ts'
import { SnapshotFileWriter } from './snapshot-writer.ts'

interface Committed {
  readonly meta: SnapshotMeta
  readonly path: string
  /** Who reads it: it is removed when a newer one is there and nobody does. */
  readers: number
}

/** What snapshots ask of the log. */
export interface SnapshotLog {
  /** A snapshot is durable: keep what follows it, or drop all (§7). Called before `commit` resolves. */
  adopt(meta: SnapshotMeta): Promise<void>
  /** Whether the snapshot counts is unknown: nothing more may be written until a start has looked. */
  fail(thrown: unknown): Error
}

export interface SnapshotsPlace {
  readonly disk: Disk
  readonly directory: string
  readonly group: number
}

export class Snapshots {
  readonly #disk: Disk
  readonly #directory: string
  readonly #group: number
  readonly #log: SnapshotLog
  #newest: Committed | null
  #writing = false

  constructor({ disk, directory, group }: SnapshotsPlace, newest: SnapshotMeta | null, log: SnapshotLog) {
    this.#disk = disk
    this.#directory = directory
    this.#group = group
    this.#log = log
    this.#newest = newest === null ? null : this.#committed(newest)
  }

  get newest(): SnapshotMeta | null {
    return this.#newest?.meta ?? null
  }

  /** The newest of the group's `names`; older ones, left by a crash before they were removed, are removed. */
  static async recover(
    { disk, directory, group }: SnapshotsPlace,
    names: readonly string[],
  ): Promise<SnapshotMeta | null> {
    const found = names
      .map((name) => ({ name, index: snapshotNumbers(name)?.index ?? 0 }))
      .sort((a, b) => a.index - b.index)
    const newest = found.pop()
    if (newest === undefined) return null
    const path = `${directory}/${newest.name}`
    const reader = await SnapshotFileReader.open(disk, path)
    await reader.close()
    if (snapshotName(group, reader.meta) !== newest.name)
      throw corrupt(`${path} holds another snapshot than it is named for`)
    for (const { name } of found) await disk.remove(`${directory}/${name}`)
    return reader.meta
  }

  create(meta: SnapshotMeta): Promise<SnapshotWriter> {
    return withStorageErrors(async () => {
      assert(!this.#writing, 'one snapshot is written at a time')
      this.#writing = true
      try {
        const file = await SnapshotFileWriter.create(this.#disk, this.#pathOf(meta), meta)
        return this.#writer(meta, file)
      } catch (thrown) {
        this.#writing = false
        throw thrown
      }
    })
  }

  open(): Promise<SnapshotReader | null> {
    return withStorageErrors(async () => {
      const snapshot = this.#newest
      if (snapshot === null) return null
      snapshot.readers++
      try {
        return await SnapshotFileReader.open(this.#disk, snapshot.path, () => this.#readerClosed(snapshot))
      } catch (thrown) {
        await this.#readerClosed(snapshot)
        throw thrown
      }
    })
  }

  #writer(meta: SnapshotMeta, file: SnapshotFileWriter): SnapshotWriter {
    const discard = async (): Promise<void> => {
      this.#writing = false
      await file.close().catch(() => undefined)
      await this.#disk.remove(file.path)
    }
    return {
      write: (chunk) => withStorageErrors(() => file.write(chunk)),
      commit: (expected) =>
        withStorageErrors(async () => {
          try {
            await file.finish(expected)
          } catch (thrown) {
            await discard().catch(() => undefined)
            throw thrown
          }
          this.#writing = false
          if (meta.index <= (this.newest?.index ?? 0)) await this.#disk.remove(file.path)
          else await this.#commit(meta, file.path)
        }),
      abort: () => withStorageErrors(discard),
    }
  }

  /** The rename is the one moment from which the snapshot counts: a start draws the same conclusions from it. */
  async #commit(meta: SnapshotMeta, written: string): Promise<void> {
    const older = this.#newest
    const committed = this.#committed(meta)
    try {
      await this.#disk.rename(written, committed.path)
      await this.#disk.syncDirectory(this.#directory)
      this.#newest = committed
      await this.#log.adopt(meta)
    } catch (thrown) {
      throw this.#log.fail(thrown)
    }
    if (older?.readers === 0) await removeLarge(this.#disk, older.path)
  }

  async #readerClosed(snapshot: Committed): Promise<void> {
    snapshot.readers--
    if (snapshot.readers === 0 && snapshot !== this.#newest) await removeLarge(this.#disk, snapshot.path)
  }

  #committed(meta: SnapshotMeta): Committed {
    return { meta, path: this.#pathOf(meta), readers: 0 }
  }

  #pathOf(meta: SnapshotMeta): string {
    return `${this.#directory}/${snapshotName(this.#group, meta)}`
  }
}

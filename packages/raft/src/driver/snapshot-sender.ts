import type { Ready, SnapshotChunk } from '../core/ready.ts'
import type { SnapshotReader, Storage } from '../storage.ts'
import type { Index, NodeId } from '../types.ts'

export type SnapshotRead = Ready['snapshotReads'][number]

/**
 * Reads chunks of the newest snapshot for followers. A follower that has begun one gets all of that one, though newer ones are made
 * meanwhile: its reader stays open from chunk to chunk.
 */
export class SnapshotSender {
  readonly #storage: Pick<Storage, 'openSnapshot'>
  readonly #readers = new Map<NodeId, SnapshotReader>()

  constructor(storage: Pick<Storage, 'openSnapshot'>) {
    this.#storage = storage
  }

  /** Null when there is no snapshot. A newer one than asked for begins at its beginning. */
  async read({ to, index, offset, bytesMax }: SnapshotRead): Promise<SnapshotChunk | null> {
    const reader = await this.#readerFor(to, index)
    if (reader === null) return null
    const { meta, size, crc } = reader
    const at = meta.index === index ? Math.min(offset, size) : 0
    const data = await reader.read(at, Math.min(bytesMax, size - at))
    const done = at + data.length === size
    if (done) await this.#close(to)
    return { meta, size, crc, offset: at, data, done }
  }

  /** Nobody is sent anything any more: lets go of the files. */
  async stop(): Promise<void> {
    for (const to of [...this.#readers.keys()]) await this.#close(to)
  }

  async #readerFor(to: NodeId, index: Index): Promise<SnapshotReader | null> {
    const open = this.#readers.get(to)
    if (open?.meta.index === index) return open
    await this.#close(to)
    const reader = await this.#storage.openSnapshot()
    if (reader !== null) this.#readers.set(to, reader)
    return reader
  }

  async #close(to: NodeId): Promise<void> {
    const reader = this.#readers.get(to)
    this.#readers.delete(to)
    await reader?.close()
  }
}

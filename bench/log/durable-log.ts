/** `fileStorage` as a server uses it: one write in flight, a snapshot now and then so that segments are recycled. */
import type { Storage } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import type { Entry } from '../../packages/raft/src/entry.ts'
import { RecordWriter } from '../../packages/raft/src/record.ts'

const SNAPSHOT_EVERY_BYTES = 32 * 1024 * 1024
const PAYLOAD = new Uint8Array(256).fill(0x5a)
const NO_MEMBERSHIP = new Uint8Array(0)

export class DurableLog {
  readonly #storage: Storage
  readonly #records = new RecordWriter(1024 * 1024)
  #lastIndex = 0
  #bytes = 0
  #snapshot: Promise<void> = Promise.resolve()

  private constructor(storage: Storage) {
    this.#storage = storage
  }

  static async open(directory: string): Promise<DurableLog> {
    const storage = fileStorage(directory)
    await storage.open({ clusterId: 'bench', nodeId: 'n1' })
    return new DurableLog(storage)
  }

  /** The next `count` entries of 256 bytes, side by side in memory as a leader makes them. */
  entries(count: number): Entry[] {
    this.#records.reserve(count * 296)
    return Array.from({ length: count }, (_, i) =>
      this.#records.append({
        group: 0,
        kind: 1,
        index: this.#lastIndex + 1 + i,
        term: 1,
        time: 0,
        payload: PAYLOAD,
      }),
    )
  }

  async write(entries: readonly Entry[]): Promise<void> {
    await this.#storage.write({ entries, hardState: null })
    this.#lastIndex += entries.length
    this.#bytes += entries.length * 296
    if (this.#bytes < SNAPSHOT_EVERY_BYTES) return
    this.#bytes = 0
    this.#snapshot = this.#takeSnapshot(this.#lastIndex)
  }

  async close(): Promise<void> {
    await this.#snapshot
    await this.#storage.close()
  }

  async #takeSnapshot(index: number): Promise<void> {
    await this.#snapshot
    const writer = await this.#storage.createSnapshot({ index, term: 1, membership: NO_MEMBERSHIP })
    await writer.write(PAYLOAD)
    await writer.commit()
    await this.#storage.compact(index)
  }
}

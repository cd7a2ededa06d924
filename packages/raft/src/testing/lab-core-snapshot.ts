/** Snapshots of our core on their way over the labs' network: how many commands they stand for, then the service's bytes. */
import { ByteReader, ByteWriter } from '@lab/rpc'
import type { SnapshotChunk } from '../core/ready.ts'
import { crc32 } from '../crc32.ts'

/** What travels in the chunks of one snapshot. */
export function packSnapshot(commands: number, blob: Uint8Array): Uint8Array {
  return new ByteWriter(8 + blob.length).u64(commands).raw(blob).finish()
}

/** Puts chunks together. */
export class CoreSnapshotReceiver {
  #chunks: Uint8Array[] = []

  /** @returns the snapshot when this was its last chunk and its checksum is right; otherwise null */
  take(chunk: SnapshotChunk): { readonly commands: number; readonly blob: Uint8Array } | null {
    if (chunk.offset === 0) this.#chunks = []
    this.#chunks.push(chunk.data)
    if (!chunk.done) return null
    const writer = new ByteWriter(chunk.size)
    for (const part of this.#chunks) writer.raw(part)
    this.#chunks = []
    const bytes = writer.finish()
    if (bytes.length !== chunk.size || crc32(bytes) !== chunk.crc) return null
    const reader = new ByteReader(bytes)
    return { commands: reader.u64(), blob: reader.raw(reader.remaining).slice() }
  }
}

/** The fuzzed machine's snapshots. */
import type { SnapshotChunk } from '../../../src/core/ready.ts'
import type { Index } from '../../../src/types.ts'
import type { FakeDisk } from '../support/fake-disk.ts'

/** The state, and filling so that a snapshot takes several chunks. */
export function snapshotOf(state: number, index: Index): Uint8Array {
  const data = new Uint8Array(8 + ((index * 37) % 900)).fill(index)
  new DataView(data.buffer).setFloat64(0, state)
  return data
}

export function stateIn(data: Uint8Array): number {
  return new DataView(data.buffer, data.byteOffset).getFloat64(0)
}

export function chunkOf(
  disk: FakeDisk,
  index: Index,
  offset: number,
  bytesMax: number,
): SnapshotChunk | null {
  const { snapshot } = disk
  if (snapshot === null) return null
  const start = snapshot.meta.index === index ? offset : 0
  const end = Math.min(start + bytesMax, snapshot.data.length)
  return {
    meta: snapshot.meta,
    size: snapshot.data.length,
    crc: snapshot.crc,
    offset: start,
    data: snapshot.data.slice(start, end),
    done: end === snapshot.data.length,
  }
}

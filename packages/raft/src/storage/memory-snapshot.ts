import { crc32 } from '../crc32.ts'
import { StorageError, type SnapshotReader, type SnapshotWriter } from '../storage.ts'
import type { SnapshotMeta } from '../types.ts'

/** A committed snapshot: whole, in one piece. */
export interface MemorySnapshot {
  readonly meta: SnapshotMeta
  readonly bytes: Uint8Array
}

/** Collects chunks; `commit` hands the whole to `install`, which says when it counts as durable. */
export function memorySnapshotWriter(
  meta: SnapshotMeta,
  install: (snapshot: MemorySnapshot) => Promise<void>,
  done: () => void,
): SnapshotWriter {
  const chunks: Uint8Array[] = []
  return {
    write(chunk) {
      chunks.push(chunk.slice())
      return Promise.resolve()
    },
    async commit(expected) {
      const bytes = concatenate(chunks)
      try {
        if (expected !== undefined && (expected.size !== bytes.length || expected.crc !== crc32(bytes)))
          throw new StorageError('CORRUPT', 'the snapshot arrived damaged: fetch it again')
        await install({ meta, bytes })
      } finally {
        done()
      }
    },
    abort() {
      done()
      return Promise.resolve()
    },
  }
}

export function memorySnapshotReader({ meta, bytes }: MemorySnapshot): SnapshotReader {
  return {
    meta,
    size: bytes.length,
    crc: crc32(bytes),
    read: (offset, length) => Promise.resolve(bytes.slice(offset, offset + length)),
    close: () => Promise.resolve(),
  }
}

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

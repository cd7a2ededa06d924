/**
 * A snapshot of a running cluster as one file, for another cluster to begin with:
 *
 *     8 bytes "labback1" · u32 length of the header · header · u32 crc32 of the header · the state's bytes
 *     header   text cluster id · varint index · varint term · bytes configuration · varint size · u32 crc32 of the state
 */
import { ByteReader, ByteWriter } from '@lab/rpc'
import { crc32 } from '../crc32.ts'
import { StorageError, type SnapshotReader } from '../storage.ts'
import type { SnapshotMeta } from '../types.ts'

const MAGIC = new TextEncoder().encode('labback1')
const PREFIX_BYTES = MAGIC.length + 4
const HEADER_BYTES_MAX = 1024 * 1024
const CHUNK_BYTES = 64 * 1024

/** What a backup holds. */
export interface BackupHeader {
  /** Of the cluster that it was taken from. */
  readonly clusterId: string
  /** What the state stands for; `membership` is the configuration of that time. */
  readonly meta: SnapshotMeta
  /** Bytes and crc32 of the state. */
  readonly size: number
  readonly crc: number
}

export interface Backup {
  readonly header: BackupHeader
  /** To be drawn once. @throws {StorageError} `CORRUPT` at its end, when it is not what the header says */
  readonly state: AsyncIterable<Uint8Array>
}

/** The bytes of a backup file, chunk by chunk. */
export async function* writeBackup(
  clusterId: string,
  reader: SnapshotReader,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { meta, size, crc } = reader
  const header = new ByteWriter()
    .text(clusterId)
    .varint(meta.index)
    .varint(meta.term)
    .bytes(meta.membership)
    .varint(size)
    .u32(crc)
    .finish()
  yield new ByteWriter().raw(MAGIC).u32(header.length).raw(header).u32(crc32(header)).finish()
  for (let offset = 0; offset < size;) {
    const chunk = await reader.read(offset, Math.min(CHUNK_BYTES, size - offset))
    offset += chunk.length
    yield chunk
  }
}

/**
 * Reads what {@link writeBackup} wrote, however its chunks are cut.
 *
 * @throws {StorageError} `CORRUPT` when the bytes are no backup, or a damaged one
 */
export async function readBackup(chunks: AsyncIterable<Uint8Array>): Promise<Backup> {
  const source = chunks[Symbol.asyncIterator]()
  let bytes: Uint8Array = new Uint8Array(0)
  const fill = async (length: number): Promise<void> => {
    while (bytes.length < length) {
      const next = await source.next()
      if (next.done === true) throw damaged('it ends in its header')
      bytes = joined(bytes, next.value)
    }
  }
  await fill(PREFIX_BYTES)
  if (!MAGIC.every((byte, at) => bytes[at] === byte)) throw damaged('it does not begin as a backup does')
  const length = new ByteReader(bytes, MAGIC.length).u32()
  if (length > HEADER_BYTES_MAX) throw damaged('its header is too long')
  const end = PREFIX_BYTES + length
  await fill(end + 4)
  if (new ByteReader(bytes, end).u32() !== crc32(bytes, PREFIX_BYTES, end)) throw damaged('its header')
  const header = decodeHeader(new ByteReader(bytes, PREFIX_BYTES, end))
  return { header, state: checked(header, bytes.slice(end + 4), source) }
}

function decodeHeader(reader: ByteReader): BackupHeader {
  const clusterId = reader.text()
  const index = reader.varint()
  const meta = { index, term: reader.varint(), membership: reader.bytes().slice() }
  return { clusterId, meta, size: reader.varint(), crc: reader.u32() }
}

async function* checked(
  { size, crc }: BackupHeader,
  first: Uint8Array,
  source: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0
  let sum = 0
  for (let chunk = first; ;) {
    bytes += chunk.length
    sum = crc32(chunk, 0, chunk.length, sum)
    if (bytes > size) throw damaged(`it has more than the ${String(size)} bytes that it announces`)
    if (chunk.length > 0) yield chunk
    const next = await source.next()
    if (next.done === true) break
    chunk = next.value
  }
  if (bytes !== size) throw damaged(`it has ${String(bytes)} of ${String(size)} bytes`)
  if (sum !== crc) throw damaged('its checksum is another')
}

function damaged(how: string): StorageError {
  return new StorageError('CORRUPT', `this is no backup, or it is damaged: ${how}`)
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

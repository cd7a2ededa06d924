/**
 * The store as a stream of bytes:
 *
 *     u8 format · u64 revision · u64 count of records
 *     per record  u32 bytes that follow · varint version · varint changed · bytes key · value to the end
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import { readKey, readValue } from './commands.ts'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'
import { keyText, type StoreRecord } from './record.ts'

const FORMAT = 1
const HEADER_BYTES = 17
const CHUNK_BYTES = 64 * 1024
/** Two varints and the key's length besides key and value. */
const RECORD_BYTES_MAX = 2 * 8 + 2 + KEY_BYTES_MAX + VALUE_BYTES_MAX

/** Chunks of some 64 KB, encoded as they are drawn. The records must not change, and don't: see {@link StoreRecord}. */
export function* writeSnapshot(
  revision: number,
  records: readonly (readonly [string, StoreRecord])[],
): Generator<Uint8Array, void, undefined> {
  const writer = new ByteWriter(2 * CHUNK_BYTES)
  writer.u8(FORMAT).u64(revision).u64(records.length)
  for (const [name, record] of records) {
    writeRecordHead(writer, name, record)
    for (let at = 0; at < record.length; at += CHUNK_BYTES) {
      writer.raw(record.buffer.subarray(at, Math.min(at + CHUNK_BYTES, record.length)))
      if (writer.length >= CHUNK_BYTES) yield take(writer)
    }
    if (writer.length >= CHUNK_BYTES) yield take(writer)
  }
  if (writer.length > 0) yield take(writer)
}

/**
 * Reads what {@link writeSnapshot} wrote, however its chunks were cut.
 *
 * @throws {ProtocolError} on anything else
 */
export async function readSnapshot(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ revision: number; records: Map<string, StoreRecord> }> {
  const builder = new SnapshotBuilder()
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : joined(rest, chunk)
    rest = bytes.slice(builder.read(bytes))
  }
  if (rest.length > 0) throw new ProtocolError('a snapshot that ends within a record')
  return builder.finish()
}

class SnapshotBuilder {
  readonly #records = new Map<string, StoreRecord>()
  #header: { readonly revision: number; readonly count: number } | null = null

  /** Takes whole records off the front of `bytes`. @returns how many bytes they were */
  read(bytes: Uint8Array): number {
    let at = 0
    if (this.#header === null) {
      if (bytes.length < HEADER_BYTES) return 0
      this.#header = readHeader(new ByteReader(bytes))
      at = HEADER_BYTES
    }
    while (bytes.length - at >= 4) {
      const length = new ByteReader(bytes, at).u32()
      if (length > RECORD_BYTES_MAX)
        throw new ProtocolError(`a record of ${String(length)} bytes in a snapshot`)
      const end = at + 4 + length
      if (end > bytes.length) break
      this.#readRecord(new ByteReader(bytes, at + 4, end))
      at = end
    }
    return at
  }

  finish(): { revision: number; records: Map<string, StoreRecord> } {
    if (this.#header === null) throw new ProtocolError('a snapshot without its header')
    const { revision, count } = this.#header
    if (this.#records.size !== count)
      throw new ProtocolError(`a snapshot of ${String(count)} records with ${String(this.#records.size)}`)
    return { revision, records: this.#records }
  }

  #readRecord(reader: ByteReader): void {
    const version = reader.varint()
    const changed = reader.varint()
    const name = keyText(readKey(reader))
    const buffer = readValue(reader).slice()
    this.#records.set(name, { buffer, length: buffer.length, version, changed })
  }
}

function readHeader(reader: ByteReader): { revision: number; count: number } {
  const format = reader.u8()
  if (format !== FORMAT) throw new ProtocolError(`a snapshot of format ${String(format)}`)
  return { revision: reader.u64(), count: reader.u64() }
}

function writeRecordHead(writer: ByteWriter, name: string, record: StoreRecord): void {
  const at = writer.length
  writer.u32(0).varint(record.version).varint(record.changed).varint(name.length)
  for (let i = 0; i < name.length; i++) writer.u8(name.charCodeAt(i))
  writer.patchU32(at, writer.length - at - 4 + record.length)
}

function take(writer: ByteWriter): Uint8Array {
  const chunk = writer.finish()
  writer.reset()
  return chunk
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** Answers queries, written straight out of the store's memory: one array an answer, many of which share their memory. */
import { ByteWriter } from '@lab/rpc'
import type { Contents } from './contents.ts'
import { SCAN_BYTES_MAX } from './limits.ts'
import { NO_RECORD, type RecordNumber } from './memory/records.ts'
import { varintLength, writeVarint } from './memory/varint.ts'
import { AnswerKind, type Scan } from './queries.ts'

/** Answers of up to so many bytes share a slab: memory of its own costs a small one more than finding the key. */
const SHARING_BYTES_MAX = 4 * 1024
const SLAB_BYTES = 64 * 1024
let slab = new ArrayBuffer(0)
let used = SLAB_BYTES

/** The bytes of an {@link Answer}: for sending, not for keeping. */
export function answerGet({ table, revision }: Contents, key: Uint8Array): Uint8Array {
  const record = table.find(key, key.length)
  if (record === NO_RECORD) {
    const missing = new Uint8Array(varintLength(revision) + 1)
    missing[writeVarint(missing, 0, revision)] = AnswerKind.missing
    return missing
  }
  const { records } = table
  const version = records.version(record)
  const changed = records.changed(record)
  const expires = table.deadline(record)
  const valueLength = records.valueLength(record)
  const numbers = varintLength(revision) + varintLength(version) + varintLength(changed)
  const answer = room(numbers + 1 + (expires > 0 ? varintLength(expires) : 0) + valueLength)
  let at = writeVarint(answer, 0, revision)
  answer[at++] = expires > 0 ? AnswerKind.foundExpiring : AnswerKind.found
  at = writeVarint(answer, at, version)
  at = writeVarint(answer, at, changed)
  if (expires > 0) at = writeVarint(answer, at, expires)
  const start = records.keyAt(record) + records.keyLength(record)
  answer.set(records.array(record).subarray(start, start + valueLength), at)
  return answer
}

/** Memory that nobody else has, or will have. */
function room(bytes: number): Uint8Array {
  if (bytes > SHARING_BYTES_MAX) return new Uint8Array(bytes)
  if (used + bytes > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES)
    used = 0
  }
  used += bytes
  return new Uint8Array(slab, used - bytes, bytes)
}

/** The bytes of a {@link Page}: as many entries as the limit and {@link SCAN_BYTES_MAX} allow, the first in any case. */
export function answerScan(contents: Contents, { from, to, limit, keysOnly }: Scan): Uint8Array {
  const { table, revision } = contents
  const writer = new ByteWriter(1024).varint(revision).u8(AnswerKind.page)
  const moreAt = writer.length
  writer.u8(0)
  let left = limit
  let bytesLeft = SCAN_BYTES_MAX
  let position = table.seek(from)
  for (;;) {
    const record = table.at(position)
    if (record === NO_RECORD || (to.length > 0 && !table.isBefore(record, to))) return writer.view()
    const bytes = table.records.keyLength(record) + (keysOnly ? 0 : table.records.valueLength(record))
    if (left === 0 || (bytes > bytesLeft && left < limit)) break
    writeEntry(writer, contents, record, keysOnly)
    left--
    bytesLeft -= bytes
    position = table.after(position)
  }
  const page = writer.view()
  page[moreAt] = 1
  return page
}

function writeEntry(writer: ByteWriter, { table }: Contents, record: RecordNumber, keysOnly: boolean): void {
  const { records } = table
  writer.varint(records.version(record)).varint(records.changed(record)).varint(table.deadline(record))
  const array = records.array(record)
  const keyAt = records.keyAt(record)
  const valueAt = keyAt + records.keyLength(record)
  writer.bytes(array.subarray(keyAt, valueAt))
  writer.bytes(array.subarray(valueAt, valueAt + (keysOnly ? 0 : records.valueLength(record))))
}

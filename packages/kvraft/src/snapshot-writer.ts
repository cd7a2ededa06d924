import { ByteWriter } from '@lab/rpc'
import type { Contents } from './contents.ts'
import type { EventRun } from './history.ts'
import type { RecordNumber } from './memory/records.ts'
import type { Table } from './memory/table.ts'
import { writeHeader } from './snapshot-format.ts'

const CHUNK_BYTES = 64 * 1024

/**
 * The contents of the moment of this call, in chunks of some 64 KB that are encoded as they are drawn.
 */
export function writeSnapshot({ table, history, revision, time }: Contents): Iterable<Uint8Array> {
  const writer = new ByteWriter(2 * CHUNK_BYTES)
  const { count: events, bytesMax: historyBytes } = history
  writeHeader(writer, { revision, time, records: table.count, events, historyBytes })
  const view = table.freeze(revision)
  const runs = history.freeze()
  const take = (record: RecordNumber): boolean => {
    writeRecord(writer, table, record)
    return writer.length < CHUNK_BYTES
  }
  return draw(
    () => view.draw(take),
    writer,
    runs,
    () => view.end(),
  )
}

function* draw(
  drawSome: () => boolean,
  writer: ByteWriter,
  runs: readonly EventRun[],
  end: () => void,
): Generator<Uint8Array, void, undefined> {
  try {
    for (let more = true; more;) {
      more = drawSome()
      const bytes = writer.finish()
      writer.reset()
      // Nothing, when all it looked at is newer: others get their turn all the same.
      if (bytes.length === 0 && more) yield bytes
      yield* pieces(bytes, 0, bytes.length)
    }
    for (const { bytes, start, end: last } of runs) yield* pieces(bytes, start, last)
  } finally {
    end()
  }
}

/** The last piece may be up to twice as long: no piece is tiny. */
function* pieces(bytes: Uint8Array, start: number, end: number): Generator<Uint8Array, void, undefined> {
  let at = start
  for (; end - at > 2 * CHUNK_BYTES; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
  if (at < end) yield bytes.subarray(at, end)
}

function writeRecord(writer: ByteWriter, table: Table, record: RecordNumber): void {
  const { records } = table
  const at = writer.length
  const keyLength = records.keyLength(record)
  writer.u32(0).varint(records.version(record)).varint(records.changed(record))
  writer.varint(table.deadline(record)).varint(keyLength)
  const start = records.keyAt(record)
  const length = keyLength + records.valueLength(record)
  writer.raw(records.array(record).subarray(start, start + length))
  writer.patchU32(at, writer.length - at - 4)
}

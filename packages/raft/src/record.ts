/**
 * The codec of log records (layout in entry.ts): packs entries into slabs, and gives entries for bytes that came from the
 * wire or the disk. Whoever decodes verifies: an {@link Entry} that exists has a right checksum and sane numbers.
 */
import { ProtocolError, assert } from '@lab/rpc'
import { crc32 } from './crc32.ts'
import { EntryKind, RECORD_HEADER_BYTES, type Entry } from './entry.ts'
import type { Index, Term } from './types.ts'

const TWO_32 = 2 ** 32
const GROUP_AT = 12
const KIND_MAX = Math.max(...Object.values(EntryKind))
const SLAB_BYTES = 64 * 1024

/** What a record says. */
export interface RecordFields {
  readonly group: number
  readonly kind: EntryKind
  readonly index: Index
  readonly term: Term
  /** Log time, milliseconds since 1970. */
  readonly time: number
  readonly payload: Uint8Array
}

/** Room for records: the same bytes, as an array and for numbers. */
export interface Slab {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** Makes a slab of zeros. */
export function makeSlab(length: number): Slab {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer) }
}

/** Writes one record at `at`, where there must be room for it, and returns the offset after it. */
export function encodeRecord({ bytes, view }: Slab, at: number, fields: RecordFields): number {
  const end = at + RECORD_HEADER_BYTES + fields.payload.length
  view.setUint32(at, end - at, true)
  view.setUint32(at + 8, fields.kind, true)
  view.setUint32(at + 12, fields.group, true)
  setU64(view, at + 16, fields.index)
  setU64(view, at + 24, fields.term)
  setU64(view, at + 32, fields.time)
  bytes.set(fields.payload, at + RECORD_HEADER_BYTES)
  view.setUint32(at + 4, crc32(bytes, at + 8, end), true)
  return end
}

/** One entry in a slab of its own. Many go through a {@link RecordWriter}. */
export function makeEntry(fields: RecordFields): Entry {
  return new RecordWriter(RECORD_HEADER_BYTES + fields.payload.length).append(fields)
}

/**
 * Packs entries one after the other, so that a batch shares a slab and goes to socket and disk as one run of bytes. A slab
 * that is full is left to its entries and a new one begun: what was returned never changes. A record that finds no room and would
 * fill much of a new slab gets one of just its size: else as much again would be left over behind each.
 */
export class RecordWriter {
  readonly #slabBytes: number
  #slab: Slab = makeSlab(0)
  #length = 0

  constructor(slabBytes: number = SLAB_BYTES) {
    this.#slabBytes = slabBytes
  }

  /** Encodes one record and returns its entry; `fields.payload` is copied. */
  append(fields: RecordFields): Entry {
    const bytes = RECORD_HEADER_BYTES + fields.payload.length
    if (!this.#hasRoom(bytes) && bytes > this.#slabBytes / 4) return entryIn(makeSlab(bytes), 0, fields)
    this.reserve(bytes)
    const entry = entryIn(this.#slab, this.#length, fields)
    this.#length = entry.end
    return entry
  }

  /** Makes the next `bytes` of records lie side by side: begins a new slab when the current one has no room for them. */
  reserve(bytes: number): void {
    if (this.#hasRoom(bytes)) return
    this.#slab = makeSlab(Math.max(bytes, this.#slabBytes))
    this.#length = 0
  }

  #hasRoom(bytes: number): boolean {
    return this.#length + bytes <= this.#slab.bytes.length
  }
}

function entryIn(slab: Slab, start: number, fields: RecordFields): Entry {
  const end = encodeRecord(slab, start, fields)
  const { kind, index, term, time } = fields
  return { index, term, kind, time, slab: slab.bytes, start, end }
}

/**
 * The records in bytes [start, end), nothing before, between or after them. The entries share `slab`, which must not change
 * afterwards.
 *
 * @param options.group when given, the only group accepted
 * @throws {ProtocolError} when a length, a checksum or a number is not right
 */
export function decodeRecords(
  slab: Uint8Array,
  start = 0,
  end: number = slab.length,
  options: { readonly group?: number } = {},
): Entry[] {
  assert(start >= 0 && end <= slab.length, 'records lie within their slab')
  const view = new DataView(slab.buffer, slab.byteOffset, slab.byteLength)
  const entries: Entry[] = []
  for (let at = start; at < end;) {
    const entry = decodeRecord(slab, view, at, end)
    if (options.group !== undefined && view.getUint32(at + GROUP_AT, true) !== options.group)
      throw new ProtocolError(`a record of group ${String(groupOf(entry))} in group ${String(options.group)}`)
    entries.push(entry)
    at = entry.end
  }
  return entries
}

/** Which group's log the entry belongs to. */
export function groupOf({ slab, start }: Entry): number {
  const at = start + GROUP_AT
  // Byte by byte: a start asks it of every entry of the log, and a DataView for each is garbage.
  const low = (slab[at] as number) | ((slab[at + 1] as number) << 8) | ((slab[at + 2] as number) << 16)
  return low + (slab[at + 3] as number) * 2 ** 24
}

/**
 * The record that begins at `at`.
 *
 * @param view of `slab` @param limit where it must have ended
 * @throws {ProtocolError} as {@link decodeRecords}
 */
export function decodeRecord(slab: Uint8Array, view: DataView, at: number, limit: number): Entry {
  if (limit - at < RECORD_HEADER_BYTES) throw new ProtocolError('a record is cut off in its header')
  const length = view.getUint32(at, true)
  if (length < RECORD_HEADER_BYTES || length > limit - at)
    throw new ProtocolError(`a record of ${String(length)} bytes where ${String(limit - at)} are`)
  const end = at + length
  if (crc32(slab, at + 8, end) !== view.getUint32(at + 4, true))
    throw new ProtocolError('a record whose checksum is wrong')
  // Kind and the three reserved bytes are one number: the bytes must be zero.
  const kind = view.getUint32(at + 8, true)
  if (kind === 0 || kind > KIND_MAX) throw new ProtocolError(`a record of unknown kind ${String(kind)}`)
  return {
    index: getU64(view, at + 16),
    term: getU64(view, at + 24),
    kind: kind as EntryKind,
    time: getU64(view, at + 32),
    slab,
    start: at,
    end,
  }
}

function setU64(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'the numbers of a record are safe integers ≥ 0')
  view.setUint32(at, value % TWO_32, true)
  view.setUint32(at + 4, Math.floor(value / TWO_32), true)
}

function getU64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true)
  if (high >= 2 ** 21) throw new ProtocolError('an integer of 2^53 or more')
  return high * TWO_32 + view.getUint32(at, true)
}

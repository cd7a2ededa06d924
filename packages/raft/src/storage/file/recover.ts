/**
 * Reads the log back and tells a torn tail from damage. Sequences are dense and a batch is begun only when the one before
 * is durable; so when a batch is not whole, nothing whole can follow, unless it was damaged later:
 *
 *     … 7  8  ✗              torn tail: 9 was being written when the power went, nobody was told; cut off
 *     … 7  ✗  9              damage: 9 proves that 8 was durable; refused
 */
import type { Disk } from '@lab/rpc'
import { StorageError } from '../../storage.ts'
import { EntryKind, type Entry } from '../../entry.ts'
import { groupOf } from '../../record.ts'
import type { Index } from '../../types.ts'
import { batchAt, batchHeaderAt, laterBatch } from './batch.ts'
import { corrupt } from './errors.ts'
import {
  FORMAT_VERSION,
  SECTOR_BYTES,
  SEGMENT_BYTES_MIN,
  decodeSegmentHeader,
  segmentName,
  viewOf,
  type SegmentHeader,
} from './format.ts'
import { LogState } from './log-state.ts'
import { Segment } from './segment.ts'

export interface RecoveredLog {
  /** Of each group of which anything was written and that was not removed. */
  readonly states: ReadonlyMap<number, LogState>
  /** Groups whose removal the log still tells; nothing of them may be left. */
  readonly removed: ReadonlySet<number>
  /** Of the last batch; 0 before the first. */
  readonly sequence: number
  /** Those with at least one whole batch, in order; the next batch goes to the last. */
  readonly segments: readonly Segment[]
  /** Prepared for later, in order. */
  readonly ready: readonly number[]
  /** A torn tail that was cut off, in words. */
  readonly notes: readonly string[]
}

/** @param numbers of the segments in the folder, ascending @throws {StorageError} `CORRUPT`, `VERSION` */
export async function recoverLog(
  disk: Disk,
  directory: string,
  numbers: readonly number[],
): Promise<RecoveredLog> {
  const recovery = new LogRecovery(disk, directory)
  // Two in turns, and not fresh memory for each: nothing of a segment is kept.
  let read: Uint8Array | undefined
  let reading = recovery.bytesOf(numbers[0], read)
  try {
    for (const [i, number] of numbers.entries()) {
      const expected = (numbers[0] ?? 0) + i
      if (number !== expected)
        throw corrupt(`${directory}/${segmentName(expected)} is missing, and ${segmentName(number)} is there`)
      const bytes = await reading
      // The disk reads the next one while this one is looked at.
      reading = recovery.bytesOf(numbers[i + 1], read)
      recovery.read(number, bytes)
      read = bytes
    }
  } finally {
    // Nothing stays open; that a file cannot be read does not matter any more when another one is damaged.
    await Promise.allSettled([reading])
  }
  await recovery.cutTail()
  return recovery
}

class LogRecovery implements RecoveredLog {
  readonly states = new Map<number, LogState>()
  readonly removed = new Set<number>()
  sequence = 0
  readonly segments: Segment[] = []
  readonly ready: number[] = []
  readonly notes: string[] = []
  readonly #disk: Disk
  readonly #directory: string
  /** What must be overwritten before anything is written: remains of a torn batch must never be taken for a whole one. */
  readonly #remains: { readonly path: string; readonly from: number; readonly to: number }[] = []

  constructor(disk: Disk, directory: string) {
    this.#disk = disk
    this.#directory = directory
  }

  /** A whole segment, in `into` if it fits there; nothing when there is none. @throws {StorageError} `CORRUPT` */
  async bytesOf(number: number | undefined, into: Uint8Array | undefined): Promise<Uint8Array> {
    if (number === undefined) return new Uint8Array(0)
    const path = this.#pathOf(number)
    const file = await this.#disk.open(path)
    try {
      const size = await file.size()
      const bytes = await file.read(0, size, into !== undefined && into.length >= size ? into : undefined)
      if (bytes.length < SEGMENT_BYTES_MIN)
        throw corrupt(`${path} has been cut to ${String(bytes.length)} bytes, which no crash does`)
      return bytes
    } finally {
      await file.close()
    }
  }

  /** @param bytes of the segment, all of them */
  read(number: number, bytes: Uint8Array): void {
    const path = this.#pathOf(number)
    const header = decodeSegmentHeader(bytes)
    if (header?.number !== number) this.#readPrepared(number, path, bytes)
    else this.#readBegun(header, path, bytes)
  }

  /** Zeros, an earlier life under another number, or a first write that was torn. */
  #readPrepared(number: number, path: string, bytes: Uint8Array): void {
    const proof = laterBatch(bytes, 0, null, this.sequence + 1)
    if (proof !== null)
      throw corrupt(
        `${path}, offset 0: the header is damaged, and a batch at offset ${String(proof)} is whole`,
      )
    this.ready.push(number)
  }

  #readBegun(header: SegmentHeader, path: string, bytes: Uint8Array): void {
    this.#check(header, path, bytes)
    const end = this.#replayBatches(header, path, bytes)
    const proof = laterBatch(bytes, end, header.salt, this.sequence + 1)
    if (proof !== null)
      throw corrupt(
        `${path}, offset ${String(end)}: a batch is damaged, and a later one at offset ${String(proof)} is whole`,
      )
    const isBegun = end > SECTOR_BYTES
    this.#noteTear(header, path, bytes, end)
    if (isBegun) {
      this.segments.push(new Segment(this.#disk, { ...header, path, end }, null))
      this.#remains.length = 0
    } else this.ready.push(header.number)
    const from = isBegun ? end : 0
    if (!isZero(bytes, from)) this.#remains.push({ path, from, to: bytes.length })
  }

  #check(header: SegmentHeader, path: string, bytes: Uint8Array): void {
    if (header.version > FORMAT_VERSION)
      throw new StorageError(
        'VERSION',
        `${path} has format ${String(header.version)}, this program knows ${String(FORMAT_VERSION)}: use a newer one`,
      )
    if (bytes.length < header.allocatedBytes)
      throw corrupt(
        `${path} has been cut to ${String(bytes.length)} of ${String(header.allocatedBytes)} bytes, which no crash does`,
      )
    const { sequence } = this
    // The oldest segment left decides where sequences begin: those before it were compacted away.
    const isFirst = this.segments.length === 0 && this.ready.length === 0
    if (isFirst) this.sequence = header.firstSequence - 1
    else if (header.firstSequence !== sequence + 1 || this.ready.length > 0)
      throw corrupt(
        `${this.#lastPlace()}: batch ${String(sequence + 1)} is missing or damaged, and ${path} continues with ` +
          `batch ${String(header.firstSequence)}`,
      )
  }

  /** Returns where the first batch that is not whole, or not the next, would stand. */
  #replayBatches(header: SegmentHeader, path: string, bytes: Uint8Array): number {
    let at = SECTOR_BYTES
    for (;;) {
      const batch = batchAt(bytes, at, header.salt)
      if (batch?.sequence !== this.sequence + 1) return at
      for (const record of batch.records) this.#replay(record, { number: header.number, path })
      this.sequence = batch.sequence
      at = batch.end
    }
  }

  #replay(record: Entry, segment: { readonly number: number; readonly path: string }): void {
    const group = groupOf(record)
    if (record.kind === EntryKind.groupRemoved) {
      this.states.delete(group)
      this.removed.add(group)
      return
    }
    let state = this.states.get(group)
    if (state === undefined) {
      state = new LogState()
      this.states.set(group, state)
      this.removed.delete(group)
    }
    state.replay(record, segment)
  }

  #noteTear(header: SegmentHeader, path: string, bytes: Uint8Array, end: number): void {
    const torn = batchHeaderAt(bytes, end, header.salt)
    if (torn?.sequence !== this.sequence + 1) return
    this.notes.push(
      `${path}, offset ${String(end)}: the last batch was torn by a crash and is cut off; nobody was told that it was durable`,
    )
  }

  /** Makes the end of the log clean: zeros where the next batch goes. */
  async cutTail(): Promise<void> {
    for (const { path, from, to } of this.#remains) {
      const file = await this.#disk.open(path)
      try {
        await file.write(new Uint8Array(to - from), from)
        await file.sync()
      } finally {
        await file.close()
      }
    }
  }

  #pathOf(number: number): string {
    return `${this.#directory}/${segmentName(number)}`
  }

  #lastPlace(): string {
    const last = this.segments.at(-1)
    return last === undefined ? this.#directory : `${last.path}, offset ${String(last.end)}`
  }
}

/** @param from a sector's beginning */
function isZero(bytes: Uint8Array, from: number): boolean {
  const view = viewOf(bytes)
  // Most of a prepared segment: four words a step.
  for (let at = from; at + 16 <= bytes.length; at += 16)
    if (
      (view.getInt32(at, true) |
        view.getInt32(at + 4, true) |
        view.getInt32(at + 8, true) |
        view.getInt32(at + 12, true)) !==
      0
    )
      return false
  return true
}

/** What the log of a group and its snapshot must agree on: a log that starts later has lost its beginning. */
export function checkStart(
  directory: string,
  group: number,
  { terms }: LogState,
  snapshotIndex: Index,
): void {
  const { start } = terms
  if (start.index > snapshotIndex)
    throw corrupt(
      `${directory}: the log of group ${String(group)} starts after entry ${String(start.index)}, the newest snapshot ` +
        `ends at ${String(snapshotIndex)}: a file is missing`,
    )
}

/** Reads entries back from the disk, for followers that are far behind and for a machine that starts. */
import type { DiskFile } from '@lab/rpc'
import { EntryKind, recordBytes, RECORD_HEADER_BYTES, type Entry } from '../../entry.ts'
import { decodeRecord, groupOf } from '../../record.ts'
import type { Index } from '../../types.ts'
import { corrupt } from './errors.ts'
import { BATCH_HEADER_BYTES, BATCH_MAGIC, sectorEnd, viewOf } from './format.ts'
import type { LogState } from './log-state.ts'
import type { Segment } from './segment.ts'

export interface ReadableLog {
  readonly group: number
  readonly state: LogState
  /** In order, their numbers consecutive. */
  readonly segments: readonly Segment[]
}

/** Records of consecutive entries from a mark on: what stands there of other indexes was replaced, or is another group's. */
interface Span {
  readonly group: number
  readonly segment: Segment
  readonly from: number
  readonly to: number
  readonly first: Index
  /** The first index that stands elsewhere. */
  readonly until: Index
}

/**
 * As `Storage.read`.
 *
 * @param roomFor where to read so many bytes; default fresh memory
 * @throws {StorageError} `CORRUPT` when the disk gives something else than was written
 */
export async function readEntries(
  log: ReadableLog,
  first: Index,
  last: Index,
  bytesMax: number,
  roomFor?: (length: number) => Uint8Array,
): Promise<Entry[]> {
  const { terms } = log.state
  if (first <= terms.start.index) return []
  const until = Math.min(last, terms.lastIndex) + 1
  const gapMax = roomFor === undefined ? GAP_BYTES : GAP_BYTES_OVER_AGAIN
  const runs = runsOf(log, { first, until, bytesMax, gapMax })
  // All at once, before anything is awaited: what is in use is not recycled.
  const files = runs.map(({ segment }) => segment.acquire())
  try {
    const entries: Entry[] = []
    for (const [i, run] of runs.entries())
      readRun(run, await bytesOf(run, await files[i], roomFor?.(run.to - run.from)), entries)
    return upToBytes(entries, first, until, bytesMax)
  } finally {
    const opened = await Promise.allSettled(files)
    for (const [i, { status }] of opened.entries())
      if (status === 'fulfilled') await runs[i]?.segment.release()
  }
}

/** Rather read so much for nothing than once more; more of it where memory is used again, as nothing of what was read keeps it. */
const GAP_BYTES = 16 * 1024
const GAP_BYTES_OVER_AGAIN = 256 * 1024
/** Spans that are not next to each other come in one read up to this. */
const RUN_BYTES_MAX = 1024 * 1024

/** Spans that lie near each other: one read. */
interface Run {
  readonly segment: Segment
  readonly spans: Span[]
  readonly from: number
  to: number
}

/** Spans that hold [first, until), up to `bytesMax` of them. */
function runsOf(
  log: ReadableLog,
  { first, until, bytesMax, gapMax }: { first: Index; until: Index; bytesMax: number; gapMax: number },
): Run[] {
  const runs: Run[] = []
  let bytes = 0
  let next = first
  while (next < until) {
    const span = spanOf(log, log.state.positions.find(next))
    const run = runs.at(-1)
    if (run !== undefined && isNear(run, span, gapMax)) {
      run.spans.push(span)
      run.to = span.to
    } else runs.push({ segment: span.segment, spans: [span], from: span.from, to: span.to })
    // The first one may begin long before `first`: it does not count, lest it be all that is read.
    if (next !== first) bytes += span.to - span.from
    if (bytes > bytesMax) break
    next = span.until
  }
  return runs
}

function isNear(run: Run, span: Span, gapMax: number): boolean {
  if (run.segment !== span.segment) return false
  const gap = span.from - run.to
  return gap === 0 || (gap <= gapMax && span.to - run.from <= RUN_BYTES_MAX)
}

function spanOf({ group, state, segments }: ReadableLog, which: number): Span {
  const mark = state.positions.at(which)
  const segment = segments[(mark?.segment ?? 0) - (segments[0]?.number ?? 0)]
  if (mark === null || segment === undefined) throw new Error('bug: an entry of the log has no place on disk')
  const next = state.positions.at(which + 1)
  return {
    group,
    segment,
    from: mark.position,
    to: mark.end,
    first: mark.index,
    until: next?.index ?? state.terms.lastIndex + 1,
  }
}

function bytesOf({ from, to }: Run, file: DiskFile | undefined, into?: Uint8Array): Promise<Uint8Array> {
  if (file === undefined) throw new Error('bug: a run of the log has no file')
  return file.read(from, to - from, into)
}

function readRun(run: Run, bytes: Uint8Array, into: Entry[]): void {
  const view = viewOf(bytes)
  for (const span of run.spans) readSpan(span, { bytes, view, origin: run.from }, into)
}

function upToBytes(entries: readonly Entry[], first: Index, until: Index, bytesMax: number): Entry[] {
  const taken: Entry[] = []
  let bytes = 0
  for (const entry of entries) {
    if (entry.index < first) continue
    if (entry.index >= until || (bytes >= bytesMax && taken.length > 0)) break
    taken.push(entry)
    bytes += recordBytes(entry)
  }
  return taken
}

/** A piece of a segment, which begins at `origin` there. */
interface Piece {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly origin: number
}

function readSpan(span: Span, { bytes, view, origin }: Piece, into: Entry[]): void {
  let at = span.from - origin
  const end = span.to - origin
  for (let index = span.first; index < span.until;) {
    at = skipToRecord(view, at, end, origin)
    const entry = recordAt(bytes, view, at, end)
    if (entry === null) {
      at = nextBatch({ view, at, end, origin }) ?? damaged(span, origin + at, index)
      continue
    }
    at = entry.end
    if (groupOf(entry) !== span.group || isOnlyForDisks(entry)) continue
    if (entry.index !== index) damaged(span, origin + entry.start, index)
    into.push(entry)
    index++
  }
}

function isOnlyForDisks({ kind }: Entry): boolean {
  return (
    kind === EntryKind.hardState ||
    kind === EntryKind.logStart ||
    kind === EntryKind.groupRemoved ||
    kind === EntryKind.copies
  )
}

/**
 * A bit that rots between batches harms nothing, and a start does not see it: the reader goes on with the batch that begins in
 * the next sector. That it skipped no record shows in the index of what it finds there.
 */
function nextBatch(place: {
  readonly view: DataView
  readonly at: number
  readonly end: number
  readonly origin: number
}): number | null {
  const { view, at, end, origin } = place
  const next = sectorEnd(origin + at + 1) - origin
  return next + BATCH_HEADER_BYTES <= end && view.getUint32(next, true) === BATCH_MAGIC ? next : null
}

/** Past the zeros that fill a sector, and the header of the batch that begins in the next. */
function skipToRecord(view: DataView, at: number, end: number, origin: number): number {
  for (;;) {
    const next = sectorEnd(origin + at) - origin
    if (
      isFilling(view, at, Math.min(next, end)) &&
      (next + 4 > end || view.getUint32(next, true) === BATCH_MAGIC)
    )
      at = next
    if (at + BATCH_HEADER_BYTES > end || view.getUint32(at, true) !== BATCH_MAGIC) return at
    at += BATCH_HEADER_BYTES
  }
}

/** Zeros only. A record may begin with some, the low bytes of its length; what follows them is no batch's first word then. */
function isFilling(view: DataView, at: number, end: number): boolean {
  for (; at < end; at++) if (view.getUint8(at) !== 0) return false
  return true
}

/** Null when none that is whole begins there. */
function recordAt(bytes: Uint8Array, view: DataView, at: number, end: number): Entry | null {
  const length = at + RECORD_HEADER_BYTES <= end ? view.getUint32(at, true) : 0
  if (length < RECORD_HEADER_BYTES || at + length > end) return null
  try {
    return decodeRecord(bytes, view, at, at + length)
  } catch {
    return null
  }
}

function damaged(span: Span, offset: number, index: Index): never {
  throw corrupt(`${span.segment.path}, offset ${String(offset)}: entry ${String(index)} is damaged`)
}

/**
 * Records of a piece of a file, many at a time. A record belongs to the piece that holds its first byte: whoever reads a
 * piece goes on past its end to finish the last record, and passes over what the one before will have finished.
 */
import type { InputBytes } from '../formats.ts'
import { DataError } from './errors.ts'

const WINDOW_BYTES = 1 << 18
/** Most records are shorter: for the end of one no more is read at first. */
const GLANCE_BYTES = 1 << 12
/** Larger ones are refused: a line of this size is mostly no text file at all. */
export const RECORD_BYTES_MAX = 2 ** 28
const LF = 10

/** Whole records, one after the other. */
export interface RecordWindow {
  /** Valid until the next window. */
  readonly bytes: Uint8Array
  /** Where `bytes` begin in the file. */
  readonly position: number
  /** Behind each record, its line end included; the first one begins at 0. */
  readonly ends: readonly number[]
}

/** The position behind the record that begins at `from`, or -1 when its end is not in sight. */
export type EndOf = (bytes: Uint8Array, from: number) => number

export const endOfLine: EndOf = (bytes, from) => bytes.indexOf(LF, from) + 1 || -1

/**
 * @param first where a record begins
 * @param end only records that begin before it are given
 * @throws {DataError} `TOO_LARGE`
 */
export async function* recordWindows(
  input: InputBytes,
  first: number,
  end: number,
  endOf: EndOf,
): AsyncGenerator<RecordWindow, void, undefined> {
  let wanted = windowFor(end - first)
  for (let position = first; position < end;) {
    const bytes = await readAt(input, position, wanted)
    if (bytes.length === 0) return
    const ends = endsIn(bytes, end - position, endOf, bytes.length < wanted)
    if (ends.length === 0) {
      if (wanted >= RECORD_BYTES_MAX)
        throw new DataError('TOO_LARGE', `the record at byte ${position} does not end within ${wanted} bytes`)
      wanted = Math.min(2 * wanted, RECORD_BYTES_MAX)
      continue
    }
    yield { bytes, position, ends }
    position += ends[ends.length - 1] as number
    wanted = windowFor(end - position)
  }
}

/** How much is read where so many bytes are left of the piece. */
function windowFor(left: number): number {
  return Math.min(left + GLANCE_BYTES, WINDOW_BYTES)
}

function endsIn(bytes: Uint8Array, before: number, endOf: EndOf, isLast: boolean): number[] {
  const ends: number[] = []
  for (let at = 0; at < before && at < bytes.length;) {
    const next = endOf(bytes, at)
    if (next === -1 && !isLast) break
    at = next === -1 ? bytes.length : next
    ends.push(at)
  }
  return ends
}

/** The first line that begins at `start` or later: the byte before tells whether one begins right there. */
export async function firstLine(input: InputBytes, start: number, end: number): Promise<number> {
  if (start === 0) return 0
  let wanted = GLANCE_BYTES
  for (let position = start - 1; position < end; position += wanted, wanted = WINDOW_BYTES) {
    const bytes = await readAt(input, position, wanted)
    const at = bytes.indexOf(LF)
    if (at !== -1) return position + at + 1
    if (bytes.length < wanted) break
  }
  return end
}

/** What `input.read` gives, without a turn of the loop where it does not wait. */
export async function readAt(input: InputBytes, position: number, length: number): Promise<Uint8Array> {
  const read = input.read(position, length)
  return read instanceof Promise ? await read : read
}

/** Fills `into`, which is fewer bytes only at the end of the file. @returns how many */
export async function readInto(input: InputBytes, into: Uint8Array, position: number): Promise<number> {
  if (input.readInto !== undefined) return input.readInto(into, position)
  const bytes = await readAt(input, position, into.length)
  into.set(bytes)
  return bytes.length
}

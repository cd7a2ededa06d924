/** Texts → operations. A page is one key: its first piece is put, every further one appended. */
import type { Text } from './texts.ts'

export interface Page {
  readonly key: string
  /** Views on the text, in order; together they are the value. At least one. */
  readonly pieces: readonly Uint8Array[]
}

/** Of a page: far below what the store takes in one value, and small enough that several are written side by side. */
const PAGE_BYTES_MAX = 64 * 1024
/** Loading the texts once should take so long at the rate asked for: enough to watch, not enough to yawn. */
const LOAD_SECONDS = 12
/** As the benchmarks have it: when there is no rate. */
const PIECE_BYTES_UNPACED = 256
const PIECE_BYTES_MIN = 24
const PIECE_BYTES_MAX = 16 * 1024
const NEWLINE = 0x0a
const SPACE = 0x20

/** How long a piece may be, so that all of them take some {@link LOAD_SECONDS} at `rate` operations a second. */
export function pieceBytesFor(texts: readonly Pick<Text, 'name' | 'bytes'>[], rate: number): number {
  if (rate === Infinity) return PIECE_BYTES_UNPACED
  const total = texts.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const wanted = Math.ceil(total / (rate * LOAD_SECONDS))
  return Math.min(Math.max(wanted, PIECE_BYTES_MIN), PIECE_BYTES_MAX)
}

/** @param pieceBytes most bytes of a piece */
export function planPages(texts: readonly Pick<Text, 'name' | 'bytes'>[], pieceBytes: number): Page[] {
  return texts.flatMap(({ name, bytes }) => {
    const count = Math.max(1, Math.ceil(bytes.length / PAGE_BYTES_MAX))
    return Array.from({ length: count }, (_, at) => ({
      key: count === 1 ? name : `${name}/part-${String(at + 1).padStart(4, '0')}`,
      pieces: cut(bytes.subarray(at * PAGE_BYTES_MAX, (at + 1) * PAGE_BYTES_MAX), pieceBytes),
    }))
  })
}

/** Each piece ends after a newline, else a space, when there is one. No byte is left out; no text is one empty piece. */
export function cut(bytes: Uint8Array, pieceBytes: number): Uint8Array[] {
  if (bytes.length === 0) return [bytes]
  const pieces: Uint8Array[] = []
  for (let start = 0; start < bytes.length;) {
    const end = endOfPiece(bytes, start, pieceBytes)
    pieces.push(bytes.subarray(start, end))
    start = end
  }
  return pieces
}

function endOfPiece(bytes: Uint8Array, start: number, pieceBytes: number): number {
  const limit = Math.min(start + pieceBytes, bytes.length)
  const newline = bytes.subarray(start, limit).lastIndexOf(NEWLINE)
  if (newline !== -1) return start + newline + 1
  if (limit === bytes.length) return limit
  const space = bytes.subarray(start, limit).lastIndexOf(SPACE)
  return space === -1 ? limit : start + space + 1
}

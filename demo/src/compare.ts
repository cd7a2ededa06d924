/**
 * The judge. What was read back is laid against what was written, piece by piece, so that a difference can be named: a write
 * that was acknowledged and is not there, one that is there twice, or bytes that nobody wrote.
 */
import type { Page } from './plan.ts'

export interface Difference {
  readonly key: string
  /** Pieces that were acknowledged and are not there. */
  readonly lost: number
  /** Pieces that are there once more than they were written. */
  readonly duplicated: number
  /** Bytes that are no piece of this page. */
  readonly foreignBytes: number
  /** The first place where they part, in bytes. */
  readonly at: number
  /** What was to stand there, and what does. */
  readonly wanted: string
  readonly found: string
}

const EXCERPT_BYTES = 40

/** @param found undefined when the key is not there @returns null when both are equal, byte by byte */
export function comparePage({ key, pieces }: Page, found: Uint8Array | undefined): Difference | null {
  const wanted = Buffer.concat(pieces)
  if (found !== undefined && wanted.equals(found)) return null
  const got = found ?? new Uint8Array(0)
  const at = firstDifference(wanted, got)
  const excerpt = (bytes: Uint8Array): string =>
    JSON.stringify(Buffer.from(bytes.subarray(at, at + EXCERPT_BYTES)).toString())
  return {
    key,
    ...align(pieces, got),
    at,
    wanted: excerpt(wanted),
    found: found === undefined ? 'no such key' : excerpt(got),
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  let at = 0
  while (at < length && a[at] === b[at]) at++
  return at
}

/**
 * Walks over what was found. Where the next piece does not follow, an earlier one is a duplicate, a later one means that those
 * between are lost, and anything else is foreign.
 */
function align(
  pieces: readonly Uint8Array[],
  found: Uint8Array,
): Pick<Difference, 'lost' | 'duplicated' | 'foreignBytes'> {
  let next = 0
  let lost = 0
  let duplicated = 0
  let foreignBytes = 0
  for (let at = 0; at < found.length;) {
    const forward = indexOfPieceAt(found, at, pieces, next)
    if (forward === next) {
      at += pieces[next++]?.length ?? 0
      continue
    }
    const back = indexOfPieceAt(found, at, pieces.slice(0, next), 0)
    if (back !== -1) {
      duplicated++
      at += pieces[back]?.length ?? 0
    } else if (forward !== -1) {
      lost += forward - next
      next = forward
    } else {
      foreignBytes++
      at++
    }
  }
  return { lost: lost + pieces.length - next, duplicated, foreignBytes }
}

/** The first piece from index `from` on that stands in `bytes` at `at`; -1 when none does. */
function indexOfPieceAt(bytes: Uint8Array, at: number, pieces: readonly Uint8Array[], from: number): number {
  for (let index = from; index < pieces.length; index++) {
    const piece = pieces[index] as Uint8Array
    if (piece.length > 0 && Buffer.compare(bytes.subarray(at, at + piece.length), piece) === 0) return index
  }
  return -1
}

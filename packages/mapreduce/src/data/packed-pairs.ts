/**
 * Pairs of one length, in order of their keys: what all have in common at their beginning and at their end stands there once. Sorted keys begin alike, and
 * records of a fixed width often end alike. wasm/records.ts packs, and wasm/merge.ts unpacks as it is done here.
 *
 *     packed = [bytes of a pair u32][common at the beginning u32][common at the end u32] the first pair, then of each what is between
 */
import { asBuffer } from './text.ts'

const HEADER_BYTES = 12

/** Are those so many pairs of so many bytes? */
export function fitsPacked(packed: Uint8Array, pairs: number, bytes: number): boolean {
  if (packed.length < HEADER_BYTES) return false
  const [length, before, after] = shapeOf(packed)
  const between = length - before - after
  return between >= 0 && length * pairs === bytes && packed.length === HEADER_BYTES + length + between * pairs
}

/** Leaves the pairs in `into`, which has just room for them. */
export function unpackPairs(packed: Uint8Array, into: Uint8Array): void {
  const [length, before, after] = shapeOf(packed)
  const between = length - before - after
  const first = packed.subarray(HEADER_BYTES, HEADER_BYTES + length)
  for (let to = 0, from = HEADER_BYTES + length; to < into.length; to += length, from += between) {
    into.set(first, to)
    into.set(packed.subarray(from, from + between), to + before)
  }
}

function shapeOf(packed: Uint8Array): [number, number, number] {
  const bytes = asBuffer(packed)
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)]
}

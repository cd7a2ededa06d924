/** A record as a pair: its bytes are the key, and the value is empty. */
import { PAIR_HEADER_MAX, writeVarint } from '../data/pairs.ts'

/** Wider records fill blocks with few of them: little is won by WebAssembly then. */
const WIDTH_MAX = 1 << 16
/** A merge holds a block of each run: small ones stay near to the processor. */
const BLOCK_BYTES = 1 << 16

export interface PairShape {
  readonly width: number
  /** Bytes of the lengths before each record. */
  readonly headerBytes: number
  /** Those bytes, as a little-endian number. */
  readonly header: number
  readonly pairsPerBlock: number
}

/** Undefined for records that are too wide. */
export function pairShape(width: number): PairShape | undefined {
  if (width > WIDTH_MAX) return undefined
  const bytes = new Uint8Array(PAIR_HEADER_MAX)
  const headerBytes = writeVarint(bytes, writeVarint(bytes, 0, width), 0)
  return {
    width,
    headerBytes,
    header: new DataView(bytes.buffer).getUint32(0, true),
    pairsPerBlock: Math.max(1, Math.floor(BLOCK_BYTES / (headerBytes + width))),
  }
}

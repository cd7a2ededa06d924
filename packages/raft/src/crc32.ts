/**
 * The CRC that guards records, on the wire and on disk: zlib's polynomial. Node's own routine where there is one, the
 * same numbers in JavaScript elsewhere (browsers), so that bytes written by one are read by the other.
 */
import { viewOn } from '@lab/rpc'

/** The crc32 of bytes [start, end), continuing from `seed`, the crc32 of what came before them. */
export type Crc32 = (bytes: Uint8Array, start?: number, end?: number, seed?: number) => number

const TABLES = slicingTables()

/** Below this many bytes the call out of JavaScript and the view it needs cost more than they save (measured, Node 20). */
const NATIVE_FROM_BYTES = 192

/** In JavaScript, eight bytes a step ("slicing by 8"): a table says what each of eight bytes contributes. */
export const portableCrc32: Crc32 = (bytes, start = 0, end = bytes.length, seed = 0) => {
  let crc = ~seed
  let at = start
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ readU32(bytes, at)
    const high = readU32(bytes, at + 4)
    crc =
      table(7, low & 0xff) ^
      table(6, (low >>> 8) & 0xff) ^
      table(5, (low >>> 16) & 0xff) ^
      table(4, low >>> 24) ^
      table(3, high & 0xff) ^
      table(2, (high >>> 8) & 0xff) ^
      table(1, (high >>> 16) & 0xff) ^
      table(0, high >>> 24)
  }
  for (; at < end; at++) crc = table(0, (crc ^ (bytes[at] as number)) & 0xff) ^ (crc >>> 8)
  return ~crc >>> 0
}

export const crc32: Crc32 = fastestCrc32()

function fastestCrc32(): Crc32 {
  const native = nativeCrc32()
  if (native === undefined) return portableCrc32
  return (bytes, start = 0, end = bytes.length, seed = 0) =>
    end - start < NATIVE_FROM_BYTES
      ? portableCrc32(bytes, start, end, seed)
      : native(viewOn(bytes, start, end - start), seed)
}

/** zlib's, when this is a Node that has it (20.15, 22.2); asked for without an import, which a browser could not resolve. */
function nativeCrc32(): ((bytes: Uint8Array, seed: number) => number) | undefined {
  const runtime = globalThis as {
    readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
  }
  const zlib = runtime.process?.getBuiltinModule?.('zlib') as
    { readonly crc32?: (bytes: Uint8Array, seed: number) => number } | undefined
  return zlib?.crc32
}

/** TABLES[256 × n + b]: what byte b contributes when n more bytes follow it. */
function slicingTables(): Int32Array {
  const tables = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256] as number
    tables[at] = (tables[before & 0xff] as number) ^ (before >>> 8)
  }
  return tables
}

function table(following: number, byte: number): number {
  return TABLES[256 * following + byte] as number
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/**
 * Bytes in and out, little endian, for hand-written codecs. The writer grows; the reader checks every bound, throws only
 * {@link ProtocolError} and never allocates on the word of a length it has not checked.
 */
import { ProtocolError, assert } from './errors.ts'
import { viewOn } from './view-on.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const TWO_32 = 2 ** 32
const NOTHING = new Uint8Array(0)
const SHORT_BYTES = 64

/** Appends numbers, bytes and text to a buffer of its own that grows by doubling. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0
  /** What {@link view} gave last: most messages of a connection are as long as the one before. */
  #lastView: Uint8Array = NOTHING

  constructor(initialCapacity = 256) {
    this.#bytes = new Uint8Array(initialCapacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Forgets what was written, or all from `length` on, and keeps the buffer. */
  reset(length = 0): void {
    assert(length <= this.#length, 'only what was written can be forgotten')
    this.#length = length
  }

  /** A view on what was written, valid until the next write. */
  view(): Uint8Array {
    if (this.#lastView.length !== this.#length)
      this.#lastView = new Uint8Array(this.#bytes.buffer, 0, this.#length)
    return this.#lastView
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const length = this.#length
    const copy = new Uint8Array(length)
    // Short ones byte by byte: a view would cost more, and a buffer outside the heap.
    if (length > SHORT_BYTES) copy.set(this.view())
    else for (let i = 0; i < length; i++) copy[i] = this.#bytes[i] as number
    return copy
  }

  u8(value: number): this {
    const at = this.#reserve(1)
    this.#bytes[at] = value
    return this
  }

  u16(value: number): this {
    const at = this.#reserve(2)
    this.#bytes[at] = value
    this.#bytes[at + 1] = value >>> 8
    return this
  }

  u32(value: number): this {
    this.#putU32(this.#reserve(4), value)
    return this
  }

  /** An integer from 0 to 2^53 - 1 in eight bytes. */
  u64(value: number): this {
    assert(isUnsigned(value), 'a u64 is a safe integer ≥ 0')
    const at = this.#reserve(8)
    this.#putU32(at, value % TWO_32)
    this.#putU32(at + 4, Math.floor(value / TWO_32))
    return this
  }

  f64(value: number): this {
    const at = this.#reserve(8)
    new DataView(this.#bytes.buffer).setFloat64(at, value, true)
    return this
  }

  /** An integer from 0 to 2^53 - 1, seven bits a byte, low ones first. */
  varint(value: number): this {
    assert(isUnsigned(value), 'a varint is a safe integer ≥ 0')
    while (value >= 0x80) {
      this.u8((value % 0x80) | 0x80)
      value = Math.floor(value / 0x80)
    }
    return this.u8(value)
  }

  /** The bytes alone: their length must be known to the reader. */
  raw(bytes: Uint8Array): this {
    const at = this.#reserve(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /** So many zeros. */
  zeros(count: number): this {
    const at = this.#reserve(count)
    // `fill` costs more than a few steps.
    if (count > SHORT_BYTES) this.#bytes.fill(0, at, at + count)
    else for (let i = at; i < at + count; i++) this.#bytes[i] = 0
    return this
  }

  /** A varint length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes)
  }

  /** A varint length in bytes, then UTF-8. */
  text(text: string): this {
    // Short ASCII, the usual case, costs no call out of JavaScript.
    if (text.length < 0x80 && this.#asciiText(text)) return this
    return this.bytes(encoder.encode(text))
  }

  /** Overwrites four bytes written before, for a length known only afterwards. */
  patchU32(at: number, value: number): void {
    assert(at + 4 <= this.#length, 'a patch lies within what was written')
    this.#putU32(at, value)
  }

  #asciiText(text: string): boolean {
    const start = this.#reserve(1 + text.length)
    this.#bytes[start] = text.length
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        this.#length = start
        return false
      }
      this.#bytes[start + 1 + i] = code
    }
    return true
  }

  /** Byte by byte: a DataView would cost every small writer a buffer outside the heap. */
  #putU32(at: number, value: number): void {
    const bytes = this.#bytes
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
  }

  #reserve(count: number): number {
    const at = this.#length
    const wanted = at + count
    if (wanted > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(wanted, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#lastView = NOTHING
    }
    this.#length = wanted
    return at
  }
}

/** Reads what a {@link ByteWriter} wrote, from [start, end) of `bytes`. @throws {ProtocolError} on anything else */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #end: number
  #at: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Position in the underlying bytes. */
  get position(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#end - this.#at
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number
  }

  u16(): number {
    const at = this.#take(2)
    const b = this.#bytes
    return (b[at] as number) | ((b[at + 1] as number) << 8)
  }

  u32(): number {
    const at = this.#take(4)
    const b = this.#bytes
    return (
      ((b[at] as number) |
        ((b[at + 1] as number) << 8) |
        ((b[at + 2] as number) << 16) |
        ((b[at + 3] as number) << 24)) >>>
      0
    )
  }

  /** @throws {ProtocolError} also from 2^53 on */
  u64(): number {
    const low = this.u32()
    const high = this.u32()
    if (high >= 2 ** 21) throw new ProtocolError('an integer of 2^53 or more')
    return high * TWO_32 + low
  }

  f64(): number {
    const at = this.#take(8)
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 8).getFloat64(0, true)
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 8; count++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw new ProtocolError('an integer of 2^53 or more')
        if (byte === 0 && count > 0) throw new ProtocolError('an integer with needless bytes')
        return value
      }
      scale *= 0x80
    }
    throw new ProtocolError('an integer of more than eight bytes')
  }

  /** A view, not a copy. */
  raw(length: number): Uint8Array {
    return viewOn(this.#bytes, this.#take(length), length)
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    const at = this.#at
    this.#at = this.#end
    return viewOn(this.#bytes, at, this.#end - at)
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    return this.raw(this.varint())
  }

  text(): string {
    const bytes = this.bytes()
    try {
      return decoder.decode(bytes)
    } catch (cause) {
      throw new ProtocolError('text that is not UTF-8', { cause })
    }
  }

  /** A count of things of which each takes at least `bytesEach` bytes: refused when they cannot be there. */
  count(bytesEach: number): number {
    const count = this.varint()
    if (count * bytesEach > this.remaining)
      throw new ProtocolError(`a count of ${String(count)} in ${String(this.remaining)} bytes`)
    return count
  }

  /** Everything has been read. */
  end(): void {
    if (this.#at !== this.#end) throw new ProtocolError(`${String(this.remaining)} bytes too many`)
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#end - at)
      throw new ProtocolError(`ends ${String(count - (this.#end - at))} bytes too early`)
    this.#at = at + count
    return at
  }
}

function isUnsigned(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/** Where a varint that begins at `at` has ended, whatever it is: for looking at what comes behind. */
export function afterVarint(bytes: Uint8Array, at: number): number {
  while (((bytes[at] ?? 0) & 0x80) !== 0) at++
  return at + 1
}

/**
 * A record as it stands in a snapshot: its block is laid out as a slab has it, so that a store that is read back need not copy it.
 *
 *     varint bytes of key · varint bytes of value · varint version · varint changed · varint expires (0 for never) · zeros up to 8
 *     block   u32 0, where a store that adopts the block writes the record's number · key · value · zeros up to the size of its class
 *
 * All lengths are multiples of eight.
 */
import { ProtocolError, type ByteWriter } from '@lab/rpc'
import { checkKeyLength, checkValueLength } from '../fields.ts'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../limits.ts'
import { classOf, sizeOfClass } from './size-classes.ts'

/** Before the key in each block. */
export const BLOCK_HEADER_BYTES = 4

const VARINT_BYTES_MAX = 8
export const STORED_BYTES_MAX =
  5 * VARINT_BYTES_MAX + sizeOfClass(classOf(BLOCK_HEADER_BYTES + KEY_BYTES_MAX + VALUE_BYTES_MAX))
const CUT_OFF = -1

export interface StoredNumbers {
  readonly keyLength: number
  readonly version: number
  readonly changed: number
  /** Log time; 0 for never. */
  readonly expires: number
}

/** @param pair key and value */
export function writeStored(writer: ByteWriter, numbers: StoredNumbers, pair: Uint8Array): void {
  const { keyLength, version, changed, expires } = numbers
  const start = writer.length
  writer.varint(keyLength).varint(pair.length - keyLength)
  writer.varint(version).varint(changed).varint(expires)
  const used = BLOCK_HEADER_BYTES + pair.length
  writer.zeros(-(writer.length - start) & 7).zeros(BLOCK_HEADER_BYTES)
  writer.raw(pair).zeros(sizeOfClass(classOf(used)) - used)
}

/** Reads one record after the other where they stand, without an object for each: its fields tell of the one read last. */
export class StoredReader implements StoredNumbers {
  bytes: Uint8Array = new Uint8Array(0)
  keyLength = 0
  valueLength = 0
  version = 0
  changed = 0
  expires = 0
  /** Where its block begins. */
  block = 0
  /** Where it ends. */
  end = 0
  #at = 0

  /** The record at `at`. @returns false when `bytes` end within it @throws {ProtocolError} when it is none */
  read(bytes: Uint8Array, at: number): boolean {
    this.bytes = bytes
    this.#at = at
    const keyLength = this.#varint()
    const valueLength = this.#varint()
    this.version = this.#varint()
    this.changed = this.#varint()
    this.expires = this.#varint()
    if (this.expires === CUT_OFF) return false
    checkKeyLength(keyLength)
    checkValueLength(valueLength)
    this.keyLength = keyLength
    this.valueLength = valueLength
    this.block = at + ((this.#at - at + 7) & ~7)
    this.end = this.block + sizeOfClass(classOf(BLOCK_HEADER_BYTES + keyLength + valueLength))
    return this.end <= bytes.length
  }

  /** Where its key begins. */
  get keyAt(): number {
    return this.block + BLOCK_HEADER_BYTES
  }

  /** @returns {@link CUT_OFF}, and so does every call after it, when the bytes end within it */
  #varint(): number {
    const { bytes } = this
    let at = this.#at
    const first = bytes[at]
    if (first !== undefined && first < 0x80) {
      this.#at = at + 1
      return first
    }
    let value = 0
    let scale = 1
    for (const end = at + VARINT_BYTES_MAX; at < end; scale *= 0x80) {
      const byte = bytes[at++]
      if (byte === undefined) {
        this.#at = bytes.length
        return CUT_OFF
      }
      value += (byte & 0x7f) * scale
      if (byte >= 0x80) continue
      if (byte === 0) throw new ProtocolError('an integer with needless bytes')
      if (value > Number.MAX_SAFE_INTEGER) break
      this.#at = at
      return value
    }
    throw new ProtocolError('an integer of 2^53 or more in a record')
  }
}

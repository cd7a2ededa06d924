import { ProtocolError } from '@lab/rpc'
import { checkKeyLength, checkTtl, checkValueLength } from './fields.ts'
import type { Pair } from './memory/records.ts'

const NOTHING: Uint8Array = new Uint8Array(0)

/**
 * Reads commands where they stand, without an object for each: one of these is used again and again, and what it makes is
 * a single view. It accepts exactly what `commandCodec` writes.
 *
 * All methods throw {@link ProtocolError}.
 */
export class PairReader implements Pair {
  /** What {@link pair} or {@link key} has read. */
  bytes = NOTHING
  keyLength = 0
  #command = NOTHING
  #at = 0

  /** Begins to read a command. @returns its first byte: its kind */
  begin(command: Uint8Array): number {
    this.#command = command
    this.#at = 0
    return this.u8()
  }

  u8(): number {
    const byte = this.#command[this.#at]
    if (byte === undefined) throw new ProtocolError('a command that is cut off')
    this.#at++
    return byte
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 8; count++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0 && count > 0) throw new ProtocolError('an integer with needless bytes')
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 0x80
    }
    throw new ProtocolError('an integer of 2^53 or more')
  }

  /** Milliseconds; 0 for none. */
  ttl(): number {
    const ttl = this.varint()
    checkTtl(ttl)
    return ttl
  }

  /** A key with its length before it, and a value to the end. */
  pair(): void {
    const command = this.#command
    this.keyLength = this.varint()
    checkKeyLength(this.keyLength)
    const length = command.length - this.#at
    if (this.keyLength > length) throw new ProtocolError('a key that is cut off')
    checkValueLength(length - this.keyLength)
    this.bytes = new Uint8Array(command.buffer, command.byteOffset + this.#at, length)
    this.#at = command.length
  }

  /** A key with its length before it, and nothing behind it. */
  key(): void {
    this.pair()
    if (this.bytes.length !== this.keyLength) throw new ProtocolError('a command with bytes too many')
  }

  /** There is nothing more to read. */
  end(): void {
    if (this.#at !== this.#command.length) throw new ProtocolError('a command with bytes too many')
  }
}

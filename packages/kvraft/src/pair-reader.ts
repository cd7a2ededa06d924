import { ProtocolError } from '@lab/rpc'
import { checkKeyLength, checkTtl, checkValueLength } from './fields.ts'
import { Cursor } from './memory/cursor.ts'
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
  readonly #cursor = new Cursor()

  /** Begins to read a command. @returns its first byte: its kind */
  begin(command: Uint8Array): number {
    return this.#cursor.begin(command, 0, command.length).u8()
  }

  u8(): number {
    return this.#cursor.u8()
  }

  varint(): number {
    return this.#cursor.varint()
  }

  /** Milliseconds; 0 for none. */
  ttl(): number {
    const ttl = this.varint()
    checkTtl(ttl)
    return ttl
  }

  /** A key with its length before it, and a value to the end. */
  pair(): void {
    this.keyLength = this.varint()
    checkKeyLength(this.keyLength)
    this.bytes = this.#cursor.rest()
    const { length } = this.bytes
    if (this.keyLength > length) throw new ProtocolError('a key that is cut off')
    checkValueLength(length - this.keyLength)
  }

  /** A key with its length before it, and nothing behind it. */
  key(): void {
    this.pair()
    if (this.bytes.length !== this.keyLength) throw new ProtocolError('a command with bytes too many')
  }

  /** There is nothing more to read. */
  end(): void {
    this.#cursor.end()
  }
}

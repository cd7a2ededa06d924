/** Reads what `ByteWriter` wrote, one record or command after the other, without an object for each. */
import { ProtocolError } from '@lab/rpc'

const NOTHING = new Uint8Array(0)

/** All methods throw {@link ProtocolError} on bytes that are not as they say. */
export class Cursor {
  #bytes: Uint8Array = NOTHING
  #at = 0
  #end = 0

  /** Reads [at, end) of `bytes` from now on. */
  begin(bytes: Uint8Array, at: number, end: number): this {
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    return this
  }

  get remaining(): number {
    return this.#end - this.#at
  }

  u8(): number {
    if (this.#at === this.#end) throw new ProtocolError('bytes that are cut off')
    return this.#bytes[this.#at++] as number
  }

  /** An integer below 2^53. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let count = 0; count < 8 && this.#at < this.#end; count++) {
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (byte === 0 && count > 0) throw new ProtocolError('an integer with needless bytes')
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 0x80
    }
    throw new ProtocolError('an integer that is cut off, or of 2^53 or more')
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    const at = this.#at
    this.#at = this.#end
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, this.#end - at)
  }

  /** Everything has been read. */
  end(): void {
    if (this.#at !== this.#end) throw new ProtocolError('bytes too many')
  }
}

import type { InputBytes } from '../formats.ts'
import type { StreamPorts } from './ports.ts'

/** Bytes that come once, from first to last, as the input of a format. Those before what was asked for last are forgotten. */
export class ForwardInput implements InputBytes {
  /** Not known before the end. */
  readonly size = Infinity
  readonly #ports: Pick<StreamPorts, 'read'>
  #held = new Uint8Array(1 << 18)
  /** Where `held` begins in the input, and how much of it is filled. */
  #position = 0
  #filled = 0
  #isAtEnd = false

  constructor(ports: Pick<StreamPorts, 'read'>) {
    this.#ports = ports
  }

  read(position: number, length: number): Uint8Array {
    if (position < this.#position) throw new RangeError('a stream is read from first to last')
    this.#forget(position - this.#position)
    if (length > this.#held.length) {
      const grown = new Uint8Array(length)
      grown.set(this.#held.subarray(0, this.#filled))
      this.#held = grown
    }
    while (this.#filled < length && !this.#isAtEnd) {
      const count = this.#ports.read(this.#held.subarray(this.#filled))
      this.#filled += count
      this.#isAtEnd = count === 0
    }
    return this.#held.subarray(0, Math.min(length, this.#filled))
  }

  #forget(bytes: number): void {
    const forgotten = Math.min(bytes, this.#filled)
    this.#held.copyWithin(0, forgotten, this.#filled)
    this.#filled -= forgotten
    this.#position += forgotten
  }
}

import { seededRandom } from '@lab/rpc'

/** A set of small numbers with a running hash (each number's own random word, all xored). */
export class Bits {
  readonly #words: Int32Array
  readonly #zobrist: Int32Array
  #hash = 0

  constructor(size: number) {
    this.#words = new Int32Array(Math.ceil(size / 32))
    const random = seededRandom(size)
    this.#zobrist = Int32Array.from({ length: size }, () => random.integer(-(2 ** 31), 2 ** 31 - 1))
  }

  get hash(): number {
    return this.#hash
  }

  flip(number: number): void {
    this.#words[number >> 5] = (this.#words[number >> 5] as number) ^ (1 << (number & 31))
    this.#hash ^= this.#zobrist[number] as number
  }

  copy(): Int32Array {
    return this.#words.slice()
  }

  equals(words: Int32Array): boolean {
    for (let at = 0; at < words.length; at++) if (words[at] !== this.#words[at]) return false
    return true
  }
}

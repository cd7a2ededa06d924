/**
 * A pair as bytes, the same in memory and in spills:
 *
 *     [varint key length][varint value length][key][value]
 */

export const PAIR_HEADER_MAX = 10
/** Keys and values are at most this long together, so that positions in a block stay small integers. */
export const PAIR_BYTES_MAX = 2 ** 28

/** Writes a length below 2^32 and gives the position after it. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  while (value >= 0x80) {
    into[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  into[at] = value
  return at + 1
}

/** Where a pair's parts stand. One of these is used over and over: most pairs are too small for an object each. */
export class PairView {
  start = 0
  keyStart = 0
  /** The key's end and the value's beginning. */
  keyEnd = 0
  /** The pair's end. */
  end = 0

  /** Looks at the pair that begins at `at`; false when it does not fit before `limit`. */
  readAt(bytes: Uint8Array, at: number, limit: number): boolean {
    this.start = at
    let keyLength = bytes[at++] as number
    if (keyLength >= 0x80) {
      at = this.#long(bytes, at, keyLength)
      keyLength = this.#length
    }
    let valueLength = bytes[at++] as number
    if (valueLength >= 0x80) {
      at = this.#long(bytes, at, valueLength)
      valueLength = this.#length
    }
    this.keyStart = at
    this.keyEnd = at + keyLength
    this.end = this.keyEnd + valueLength
    return this.end <= limit
  }

  #length = 0

  #long(bytes: Uint8Array, at: number, first: number): number {
    let value = first & 0x7f
    for (let scale = 2 ** 7; ; scale *= 2 ** 7) {
      const byte = bytes[at++]
      // Past the end, or more digits than a length has: a pair that fits nowhere.
      if (byte === undefined || scale > 2 ** 28) {
        this.#length = PAIR_BYTES_MAX * 16
        return at
      }
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    this.#length = value
    return at
  }
}

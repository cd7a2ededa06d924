const SLOTS_MIN = 1 << 16

/**
 * Texts, kept as 64 bits each: millions fit. Two different texts pass for one with a probability of n² / 2^65, which for ten
 * million is one in 370 000.
 */
export class StateSet {
  #high = new Uint32Array(SLOTS_MIN)
  #low = new Uint32Array(SLOTS_MIN)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns whether it was not there */
  add(text: string): boolean {
    if (this.#size * 2 >= this.#high.length) this.#grow()
    const [high, low] = hash(text)
    const mask = this.#high.length - 1
    for (let at = low & mask; ; at = (at + 1) & mask) {
      if (this.#high[at] === 0 && this.#low[at] === 0) {
        this.#high[at] = high
        this.#low[at] = low
        this.#size++
        return true
      }
      if (this.#high[at] === high && this.#low[at] === low) return false
    }
  }

  #grow(): void {
    const highs = this.#high
    const lows = this.#low
    this.#high = new Uint32Array(highs.length * 2)
    this.#low = new Uint32Array(lows.length * 2)
    const mask = this.#high.length - 1
    highs.forEach((high, from) => {
      const low = lows[from] as number
      if (high === 0 && low === 0) return
      let at = low & mask
      while (this.#high[at] !== 0 || this.#low[at] !== 0) at = (at + 1) & mask
      this.#high[at] = high
      this.#low[at] = low
    })
  }
}

/** Two different 32-bit hashes in the manner of murmur, never both 0. */
function hash(text: string): [high: number, low: number] {
  let a = 0x9747b28c
  let b = 0x1b873593
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x85ebca6b)
    a = (a << 13) | (a >>> 19)
    b = Math.imul(b ^ code, 0xc2b2ae35)
    b = (b << 17) | (b >>> 15)
  }
  return [finish(a ^ text.length), finish(b ^ a) | 1]
}

function finish(value: number): number {
  let mixed = value
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

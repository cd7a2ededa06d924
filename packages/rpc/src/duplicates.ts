/** How far back, in ids, a message that comes late is still told from one that comes twice. */
const WINDOW = 4096

/**
 * Tells ids that have been seen. They are counted up by the sender, and may arrive in another order; one so old that it
 * cannot be told counts as seen, so that nothing ever runs twice.
 */
export class SeenIds {
  readonly #bits = new Uint32Array(WINDOW / 32)
  #highest = 0

  /** @returns whether `id` was seen before; from now on it has been */
  seen(id: number): boolean {
    if (id > this.#highest) {
      this.#forget(id)
      this.#highest = id
    } else if (id <= this.#highest - WINDOW) return true
    const at = (id % WINDOW) >>> 5
    const bit = 1 << (id & 31)
    const word = this.#bits[at] as number
    if ((word & bit) !== 0) return true
    this.#bits[at] = word | bit
    return false
  }

  /** Makes room for the ids up to `id`: their places held those of one window before. */
  #forget(id: number): void {
    if (id - this.#highest >= WINDOW) {
      this.#bits.fill(0)
      return
    }
    for (let next = this.#highest + 1; next <= id; next++) {
      const at = (next % WINDOW) >>> 5
      this.#bits[at] = (this.#bits[at] as number) & ~(1 << (next & 31))
    }
  }
}

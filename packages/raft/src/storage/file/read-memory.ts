/**
 * Memory that is read into over and over. Fresh memory for each piece of a long log would grow old while the piece is written, and have V8
 * collect fully for every few of them.
 */
export class ReadMemory {
  #bytes = new Uint8Array(0)
  #used = 0

  /** Nobody looks any more at what was read so far. */
  begin(): void {
    this.#used = 0
  }

  /** Room that nothing else since {@link begin} has. */
  readonly take = (length: number): Uint8Array => {
    if (this.#used + length > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(length, 2 * this.#bytes.length))
      this.#used = 0
    }
    const from = this.#used
    this.#used += length
    return this.#bytes.subarray(from, this.#used)
  }
}

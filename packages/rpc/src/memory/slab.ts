/** Copies share memory up to this size: one buffer for each would cost more than the copy. */
const SHARING_BYTES_MAX = 1024
const SLAB_BYTES = 16 * 1024

/** Makes copies of short messages, many of them in one buffer. */
export class Slab {
  #slab = new Uint8Array(SLAB_BYTES)
  #used = 0

  copyOf(bytes: Uint8Array): Uint8Array {
    const { length } = bytes
    if (length > SHARING_BYTES_MAX) return bytes.slice()
    if (this.#used + length > SLAB_BYTES) {
      this.#slab = new Uint8Array(SLAB_BYTES)
      this.#used = 0
    }
    const from = this.#used
    this.#used += length
    this.#slab.set(bytes, from)
    return this.#slab.subarray(from, this.#used)
  }
}

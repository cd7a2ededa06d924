import type { TaskFile } from './files.ts'

/**
 * What the system is given at a time. Of longer writes it makes larger pieces of its cache, whose memory it takes from where nothing has been yet: on
 * a virtual machine, three times as slow.
 */
export const WRITE_BYTES = 1 << 16

/**
 * Appends to a file from its start, in whole pages of the system's: a write that begins or ends within one takes the kernel twice
 * as long, and so does all that is done with the file later.
 */
export class PageWriter {
  readonly #file: TaskFile
  readonly #buffer = Buffer.allocUnsafeSlow(WRITE_BYTES)
  #buffered = 0
  #written = 0

  /** @param file empty; the caller's to close */
  constructor(file: TaskFile) {
    this.#file = file
  }

  /** Behind all that was appended. */
  get position(): number {
    return this.#written + this.#buffered
  }

  append(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      // After a flush: up to the next border.
      const room = WRITE_BYTES - (this.position % WRITE_BYTES)
      const count = Math.min(bytes.length - at, room)
      this.#buffer.set(bytes.subarray(at, at + count), this.#buffered)
      this.#buffered += count
      at += count
      if (count === room) this.flush()
    }
  }

  /** Writes what is still kept, for it to be read. */
  flush(): void {
    if (this.#buffered === 0) return
    this.#file.write(this.#buffer.subarray(0, this.#buffered), this.#written)
    this.#written += this.#buffered
    this.#buffered = 0
  }
}

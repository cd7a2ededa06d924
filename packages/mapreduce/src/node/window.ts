/** Bytes on their way from a process to its thread, which waits for them at work: it sees no messages then. */
import { asBuffer } from '../data/text.ts'
import { FETCH_BYTES_MAX } from '../task/work.ts'

const HEADER_BYTES = 8
const LENGTH = 0
const IS_ERROR = 1
const NOT_YET = -1

export class Window {
  readonly memory: SharedArrayBuffer
  readonly #header: Int32Array
  readonly #bytes: Uint8Array

  constructor(memory = new SharedArrayBuffer(HEADER_BYTES + FETCH_BYTES_MAX)) {
    this.memory = memory
    this.#header = new Int32Array(memory, 0, 2)
    this.#bytes = new Uint8Array(memory, HEADER_BYTES)
  }

  get isPending(): boolean {
    return Atomics.load(this.#header, LENGTH) === NOT_YET
  }

  /** In the thread, before it asks. */
  expect(): void {
    this.#header[IS_ERROR] = 0
    Atomics.store(this.#header, LENGTH, NOT_YET)
  }

  /** In the thread. @returns the bytes, valid until the next {@link expect} @throws {Error} why there are none */
  wait(): Uint8Array {
    Atomics.wait(this.#header, LENGTH, NOT_YET)
    const bytes = this.#bytes.subarray(0, Atomics.load(this.#header, LENGTH))
    if (this.#header[IS_ERROR] === 0) return bytes
    throw new Error(new TextDecoder().decode(bytes.slice()))
  }

  fill(bytes: Uint8Array): void {
    copyInto(this.#bytes.subarray(0, bytes.length), bytes)
    Atomics.store(this.#header, LENGTH, bytes.length)
    Atomics.notify(this.#header, LENGTH)
  }

  fail(why: string): void {
    this.#header[IS_ERROR] = 1
    const text = new TextEncoder().encode(why).subarray(0, FETCH_BYTES_MAX)
    this.fill(text)
  }
}

/**
 * Copies bytes of equal number. For `set` memory that is shared may change at any moment: it copies word by word, and at a
 * tenth of the speed where those do not lie alike.
 */
export function copyInto(target: Uint8Array, bytes: Uint8Array): void {
  if (bytes.length > 0) asBuffer(target).fill(bytes)
}

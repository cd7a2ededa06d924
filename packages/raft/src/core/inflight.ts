import { assert } from '@lab/rpc'
import type { Index } from '../types.ts'

/** A ring of the AppendEntries that are sent to one follower and not acknowledged: bounded in messages and in bytes. */
export class Inflight {
  readonly #bytesMax: number
  readonly #messagesMax: number
  /** Per message, its last index and its bytes; #count of them from #first on, around the end. */
  #lastIndexes: Index[] = []
  #sizes: number[] = []
  #first = 0
  #count = 0
  #bytes = 0

  constructor(window: { readonly bytesMax: number; readonly messagesMax: number }) {
    this.#bytesMax = window.bytesMax
    this.#messagesMax = window.messagesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  get messages(): number {
    return this.#count
  }

  /** May nothing more be sent? One message may pass the bytes, or an entry larger than the window could never leave. */
  get full(): boolean {
    return this.#count >= this.#messagesMax || this.#bytes >= this.#bytesMax
  }

  /** A message that ends with `lastIndex` left. */
  add(lastIndex: Index, bytes: number): void {
    assert(this.#count < this.#messagesMax, 'no message leaves through a full window')
    const at = (this.#first + this.#count) % this.#messagesMax
    this.#lastIndexes[at] = lastIndex
    this.#sizes[at] = bytes
    this.#count++
    this.#bytes += bytes
  }

  /** Everything up to `index` is acknowledged. */
  free(index: Index): void {
    while (this.#count > 0 && (this.#lastIndexes[this.#first] as number) <= index) {
      this.#bytes -= this.#sizes[this.#first] as number
      this.#first = (this.#first + 1) % this.#messagesMax
      this.#count--
    }
  }

  clear(): void {
    this.#first = 0
    this.#count = 0
    this.#bytes = 0
  }
}

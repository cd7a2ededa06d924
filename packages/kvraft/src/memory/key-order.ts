import type { Order } from './ordered-index.ts'
import type { RecordNumber, Records } from './records.ts'

/** By key, byte by byte; a key comes before those that begin with it. */
export class KeyOrder implements Order {
  readonly #records: Records
  #bytes: Uint8Array = new Uint8Array(0)
  #at = 0
  #length = 0

  constructor(records: Records) {
    this.#records = records
  }

  /** Seeks this key from now on. Its bytes are not copied. */
  seek(bytes: Uint8Array, at: number, length: number): void {
    this.#bytes = bytes
    this.#at = at
    this.#length = length
  }

  compare(record: RecordNumber): number {
    return this.#records.compareKey(record, this.#bytes, this.#at, this.#length)
  }
}

import { StoredReader } from './stored-record.ts'
import { readU32, writeU32 } from './varint.ts'

/** In the first word of a block that is free; record numbers are smaller. */
export const FREE = 2 ** 31

/** A block that must move before the region can go. */
export interface LeftBlock {
  readonly record: number
  readonly at: number
  readonly size: number
}

/**
 * A piece of a snapshot that became part of a slab as it was read, see stored-record.ts: blocks of all sizes, with their numbers
 * between them. Blocks freed in it are not used again; when less than half of its bytes are in use, those left are to be moved, one
 * after the other, until it can go as a whole.
 */
export class Region {
  readonly bytes: Uint8Array
  /** Pages of the slab that show it. */
  readonly pages: number[] = []
  readonly #reader = new StoredReader()
  /** The block adopted last ends here. */
  #end: number
  /** Of blocks that are in use. */
  #used = 0
  /** The next record whose block may have to move. */
  #left: number

  /** @param start of the first record in `bytes` */
  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes
    this.#end = this.#left = start
  }

  get isHalfEmpty(): boolean {
    return 2 * this.#used < this.bytes.length
  }

  /** The block at `at` is the record's. */
  add(at: number, size: number, record: number): void {
    writeU32(this.bytes, at, record)
    this.#used += size
    this.#end = at + size
  }

  /** The block at `at` was copied elsewhere. */
  skip(at: number, size: number): void {
    writeU32(this.bytes, at, FREE)
    this.#end = at + size
  }

  /** The block at `at` in `page`, one of ours, is nobody's. */
  free(page: Uint8Array, at: number, size: number): void {
    writeU32(page, at, FREE)
    this.#used -= size
  }

  assign(page: Uint8Array, at: number, record: number): void {
    writeU32(page, at, record)
  }

  /** The next block in use; each is told once. */
  nextLeft(): LeftBlock | null {
    const reader = this.#reader
    while (this.#left < this.#end && reader.read(this.bytes, this.#left)) {
      const { block: at, end } = reader
      this.#left = end
      const record = readU32(this.bytes, at)
      if (record < FREE) return { record, at, size: end - at }
    }
    return null
  }
}

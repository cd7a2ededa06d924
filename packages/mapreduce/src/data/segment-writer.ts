/** Writes pairs, which come in order, as the blocks of segments. One buffer, whatever the number of segments. */
import type { InPlace } from './in-place.ts'
import type { TaskFile } from './files.ts'
import { PageWriter } from './page-writer.ts'
import type { PairBlock } from './pair-blocks.ts'
import { PAIR_HEADER_MAX, writeVarint } from './pairs.ts'
import { BLOCK_BYTES, BLOCK_HEADER_BYTES, checksumOf, type Segment } from './spill-format.ts'
import { asBuffer } from './text.ts'

export class SegmentWriter {
  readonly #out: PageWriter
  #block = asBuffer(new Uint8Array(BLOCK_BYTES + BLOCK_HEADER_BYTES))
  #length = BLOCK_HEADER_BYTES
  #pairsInBlock = 0
  #blocks = 0
  #records = 0
  #segmentStart: number

  /** @param file empty; the caller's to close @param head stands before the first segment */
  constructor(file: TaskFile, head: Uint8Array = new Uint8Array(0)) {
    this.#out = new PageWriter(file)
    this.#out.append(head)
    this.#segmentStart = head.length
  }

  /** Has all that was written in the file, with `tail` behind it. @returns how many bytes that are */
  finish(tail: Uint8Array = new Uint8Array(0)): number {
    this.#out.append(tail)
    this.#out.flush()
    return this.#out.position
  }

  /** Writes the bytes of a pair, its lengths included, as they are. */
  pair(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#reserve(end - start)
    const block = this.#block
    // A loop is faster than a call for pairs as short as most are.
    if (end - start < 64) for (let i = start, to = at; i < end; i++) block[to++] = bytes[i] as number
    else block.set(bytes.subarray(start, end), at)
    this.#commit(at + end - start)
  }

  /** Writes a pair whose value is new. */
  value<V>(key: Uint8Array, keyStart: number, keyEnd: number, value: V, codec: InPlace<V>): void {
    const keyLength = keyEnd - keyStart
    const valueMax = codec.bytesMax(value)
    const at = this.#reserve(keyLength + valueMax + PAIR_HEADER_MAX)
    const block = this.#block
    const valueStart = at + PAIR_HEADER_MAX + keyLength
    const valueEnd = codec.write(value, block, valueStart)
    const keyAt = writeVarint(block, writeVarint(block, at, keyLength), valueEnd - valueStart)
    block.copyWithin(keyAt + keyLength, valueStart, valueEnd)
    block.set(key.subarray(keyStart, keyEnd), keyAt)
    this.#commit(keyAt + keyLength + valueEnd - valueStart)
  }

  /** Writes a block as it is. */
  block({ bytes, pairs, unpackedBytes }: PairBlock): void {
    this.#flush()
    this.#write(asBuffer(bytes), pairs, unpackedBytes)
  }

  /** Ends the segment. The next pair begins another. */
  endSegment(): Segment {
    this.#flush()
    const segment = {
      offset: this.#segmentStart,
      bytes: this.#out.position - this.#segmentStart,
      records: this.#records,
    }
    this.#segmentStart = this.#out.position
    this.#records = 0
    this.#blocks = 0
    return segment
  }

  #reserve(bytes: number): number {
    if (this.#length + bytes > this.#block.length) {
      this.#flush()
      if (BLOCK_HEADER_BYTES + bytes > this.#block.length)
        this.#block = asBuffer(new Uint8Array(BLOCK_HEADER_BYTES + bytes))
    }
    return this.#length
  }

  #commit(end: number): void {
    this.#length = end
    this.#pairsInBlock++
  }

  #flush(): void {
    if (this.#pairsInBlock === 0) return
    this.#write(this.#block.subarray(0, this.#length), this.#pairsInBlock)
    this.#pairsInBlock = 0
    this.#length = BLOCK_HEADER_BYTES
    if (this.#block.length > BLOCK_BYTES * 4)
      this.#block = asBuffer(new Uint8Array(BLOCK_BYTES + BLOCK_HEADER_BYTES))
  }

  #write(block: Buffer, pairs: number, unpackedBytes = block.length - BLOCK_HEADER_BYTES): void {
    block.writeUInt32LE(block.length - BLOCK_HEADER_BYTES, 0)
    block.writeUInt32LE(pairs, 4)
    block.writeUInt32LE(this.#blocks, 8)
    block.writeUInt32LE(unpackedBytes, 12)
    block.writeUInt32LE(checksumOf(block, block.subarray(BLOCK_HEADER_BYTES)), 16)
    this.#out.append(block)
    this.#records += pairs
    this.#blocks++
  }
}

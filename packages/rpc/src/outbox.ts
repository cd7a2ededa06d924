import { FRAME_HEADER_BYTES, writeFrame } from './frame.ts'

/** Room for the frames of one turn; a longer message gets a chunk of its own. */
const CHUNK_BYTES = 256 * 1024
/**
 * What leaves before its turn of the event loop is over: the other end works on it meanwhile. Held back until the turn ends,
 * dozens of calls in flight go to and fro as one lump, and each end waits while the other works.
 */
export const EAGER_BYTES = 8 * 1024
/** Chunks kept for the next turn, of all the channels of one transport. */
const SPARE_CHUNKS_MAX = 16

/** Chunks to be used again: a channel holds one only while it has something to send. */
export class ChunkPool {
  readonly #spare: Uint8Array[] = []

  take(): Uint8Array {
    return this.#spare.pop() ?? new Uint8Array(CHUNK_BYTES)
  }

  giveBack(chunk: Uint8Array): void {
    if (chunk.length === CHUNK_BYTES && this.#spare.length < SPARE_CHUNKS_MAX) this.#spare.push(chunk)
  }
}

/** A chunk and how much of it is filled. */
export interface FilledChunk {
  readonly chunk: Uint8Array
  readonly length: number
}

/** Frames waiting for the socket, copied one after the other into chunks: this is what makes one write of many messages. */
export class Outbox {
  readonly #pool: ChunkPool
  #filled: FilledChunk[] = []
  #chunk: Uint8Array | undefined
  #length = 0
  #bytes = 0

  constructor(pool: ChunkPool) {
    this.#pool = pool
  }

  /** Bytes waiting. */
  get bytes(): number {
    return this.#bytes
  }

  add(message: Uint8Array): void {
    const needed = FRAME_HEADER_BYTES + message.length
    if (this.#chunk === undefined || needed > this.#chunk.length - this.#length) {
      this.#endChunk()
      this.#chunk = needed > CHUNK_BYTES ? new Uint8Array(needed) : this.#pool.take()
    }
    this.#length = writeFrame(this.#chunk, this.#length, message)
    this.#bytes += needed
  }

  /** Everything that waits, in order; the chunks come back by {@link release}. */
  take(): readonly FilledChunk[] {
    this.#endChunk()
    const taken = this.#filled
    this.#filled = []
    this.#bytes = 0
    return taken
  }

  release(chunks: readonly FilledChunk[]): void {
    for (const { chunk } of chunks) this.#pool.giveBack(chunk)
  }

  clear(): void {
    this.release(this.take())
  }

  #endChunk(): void {
    if (this.#chunk === undefined) return
    this.#filled.push({ chunk: this.#chunk, length: this.#length })
    this.#chunk = undefined
    this.#length = 0
  }
}

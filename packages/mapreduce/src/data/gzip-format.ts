/** Files packed with gzip, read as what is in them. Nothing but a window of them is in memory. */
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { toError } from '@lab/rpc'
import type { InputBytes, InputFormat } from '../formats.ts'
import { DataError } from './errors.ts'
import { readAt } from './record-windows.ts'

const CHUNK_BYTES = 1 << 18

/** What reads this file: the format itself, or, for a name that ends in `.gz`, the format behind the unpacking. */
export function formatOfFile<Rec>(format: InputFormat<Rec>, file: string): InputFormat<Rec> {
  return file.endsWith('.gz') ? gzip(format) : format
}

/** One split a file: there is no way into the middle of one. Offsets are those of the unpacked bytes. */
export function gzip<Rec>(inner: InputFormat<Rec>): InputFormat<Rec> {
  return {
    name: `${inner.name}, packed with gzip`,
    splittable: false,
    async *records(input) {
      const unpacked = new Unpacked(input)
      try {
        yield* inner.records(unpacked, 0, Infinity)
      } finally {
        unpacked.close()
      }
    },
  }
}

/** The bytes that are packed in `input`, to be read from first to last. */
export function unpacked(input: InputBytes): InputBytes & { close(): void } {
  return new Unpacked(input)
}

/** Unpacked bytes from first to last. Bytes before those asked for last are forgotten. */
class Unpacked implements InputBytes {
  /** Not known before the end. */
  readonly size = Infinity
  readonly #stream: Readable
  readonly #chunks: AsyncIterator<Buffer>
  #held: Buffer = Buffer.alloc(0)
  #position = 0
  #isAtEnd = false

  constructor(input: InputBytes) {
    const packed = Readable.from(packedChunks(input))
    const gunzip = createGunzip({ chunkSize: CHUNK_BYTES })
    packed.on('error', (error) => gunzip.destroy(error))
    this.#stream = packed.pipe(gunzip)
    this.#chunks = this.#stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    if (position < this.#position) throw new RangeError('packed bytes are read from first to last')
    const pieces = [this.#held.subarray(position - this.#position)]
    let size = Math.max(0, this.#position + this.#held.length - position)
    while (size < length && !this.#isAtEnd) {
      const chunk = await this.#next()
      pieces.push(chunk)
      size += chunk.length
    }
    this.#held = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
    this.#position = position
    return this.#held.subarray(0, length)
  }

  close(): void {
    this.#stream.destroy()
  }

  async #next(): Promise<Buffer> {
    try {
      const chunk = await this.#chunks.next()
      if (chunk.done !== true) return chunk.value
      this.#isAtEnd = true
      return Buffer.alloc(0)
    } catch (thrown) {
      throw new DataError('BAD_RECORD', `a file that gzip cannot unpack: ${toError(thrown).message}`, {
        cause: thrown,
      })
    }
  }
}

async function* packedChunks(input: InputBytes): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = 0; ;) {
    const bytes = await readAt(input, position, CHUNK_BYTES)
    if (bytes.length === 0) return
    position += bytes.length
    yield bytes.slice()
  }
}

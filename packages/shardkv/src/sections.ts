/**
 * A group's snapshot: a section for what it knows of all shards, then one for each shard that is here. How long a section becomes
 * is not known when it is begun, as stores are drawn while they go on changing:
 *
 *     section  u32 length · head · any number of pieces: u32 length · bytes · then u32 2^32 - 1
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'

export interface Section {
  readonly head: Uint8Array
  readonly body: Iterable<Uint8Array>
}

const END = 2 ** 32 - 1
/** Small shards share a chunk: hundreds of them cost no more turns than one. */
const CHUNK_BYTES = 16 * 1024
/** More than any piece has: a length beyond it is damage. */
const LENGTH_MAX = 256 * 1024 * 1024

/** @param sections pieces of their bodies are read before the next is drawn @returns chunks that are good until the next is drawn */
export function* writeSections(sections: readonly Section[]): Generator<Uint8Array, void, undefined> {
  const writer = new ByteWriter(512)
  for (const { head, body } of sections) {
    writer.u32(head.length).raw(head)
    for (const piece of body) {
      writer.u32(piece.length).raw(piece)
      if (writer.length < CHUNK_BYTES) continue
      yield writer.view()
      writer.reset()
    }
    writer.u32(END)
    if (writer.length < CHUNK_BYTES) continue
    yield writer.view()
    writer.reset()
  }
  yield writer.view()
}

/**
 * @param take reads a section; what it leaves of the body is passed over
 * @throws {ProtocolError} on chunks that {@link writeSections} did not write, however cut
 */
export async function readSections(
  chunks: AsyncIterable<Uint8Array>,
  take: (head: Uint8Array, body: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const stream = new ByteStream(chunks)
  while (await stream.has(1)) {
    const head = await stream.piece()
    if (head === null) throw new ProtocolError('a section without its head')
    const body = piecesOf(stream)
    await take(head, body)
    while ((await body.next()).done !== true);
  }
}

/** Ended early, it can be asked for the rest: not a generator, which would be over. */
function piecesOf(stream: ByteStream): AsyncIterableIterator<Uint8Array> {
  let isOver = false
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    async next() {
      const piece = isOver ? null : await stream.piece()
      isOver = piece === null
      return piece === null ? { done: true, value: undefined } : { done: false, value: piece }
    },
  }
}

class ByteStream {
  readonly #chunks: AsyncIterator<Uint8Array>
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  async has(count: number): Promise<boolean> {
    while (this.#bytes.length < count) {
      const next = await this.#chunks.next()
      if (next.done === true) return false
      this.#bytes = joined(this.#bytes, next.value)
    }
    return true
  }

  /** @returns null at the end of a section */
  async piece(): Promise<Uint8Array | null> {
    const length = new ByteReader(await this.#take(4)).u32()
    if (length === END) return null
    if (length > LENGTH_MAX) throw new ProtocolError(`a piece of ${String(length)} bytes in a snapshot`)
    return this.#take(length)
  }

  async #take(count: number): Promise<Uint8Array> {
    if (!(await this.has(count))) throw new ProtocolError('a snapshot that is cut off')
    const taken = this.#bytes.subarray(0, count)
    this.#bytes = this.#bytes.subarray(count)
    return taken
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

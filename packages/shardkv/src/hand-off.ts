/**
 * A shard on its way: its source reads it in pages while it is frozen, its destination's log takes them one by one. What goes
 * along: keys and values with their versions, the sessions (exactly once on the other side, too), the revision, the latest changes
 * for watches, and how long each key still has to live.
 *
 *     page   bytes head · store to the end      head: the next piece of `ReplicatedMachine.header()`, all of it before any of the store
 *
 * A cursor says where a page begins, in the source's words; whoever asks for the next one gives it back. As nothing changes a frozen
 * shard, any replica of the source can give any page, and the destination goes on where its log stopped.
 */
import { Loader, type PageCursor } from '@lab/kvraft/parts'
import { KvStore } from '@lab/kvraft'
import { type ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import type { Section } from './sections.ts'
import { Shard, type ShardOptions } from './shard.ts'

export interface HandOffPage {
  readonly head: Uint8Array
  readonly store: Uint8Array
  /** Null: this was the last one. */
  readonly next: PageCursor | null
}

export function sameCursor(a: PageCursor, b: PageCursor): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

/** What has come so far, in the destination's own log: the same on all of its replicas. */
export class Arrival {
  readonly #options: ShardOptions
  readonly #heads: Uint8Array[] = []
  #loader: Loader
  /** Log time at which the first page came: what the remaining lives of keys are counted from. */
  readonly #now: number
  #next: PageCursor
  #pages = 0

  constructor(options: ShardOptions, now: number) {
    this.#options = options
    this.#now = now
    this.#loader = new Loader({ ...options, now })
    this.#next = new Uint8Array(0)
  }

  /** Of the page that must come next. */
  get next(): PageCursor {
    return this.#next
  }

  /** How many have come. */
  get pages(): number {
    return this.#pages
  }

  /** Keys and values so far. */
  get dataBytes(): number {
    return this.#loader.dataBytes
  }

  /** @throws {ProtocolError} on bytes that are no page; it cannot go on after that */
  add({ head, store, next }: HandOffPage): void {
    if (head.length > 0) this.#heads.push(head.slice())
    if (this.#loader.read(store) !== store.length) throw new ProtocolError('a page that ends within an item')
    if (next !== null) this.#next = next.slice()
    this.#pages++
  }

  /** @throws {ProtocolError} when not everything has come */
  finish(): Shard {
    const shard = new Shard(KvStore.loaded(this.#loader, this.#options))
    shard.adopt(joined(this.#heads), this.#now)
    return shard
  }

  /** What has come so far, as of this moment; more may come while the body is drawn. {@link resume} reads it. */
  snapshot(): Section {
    const heads = joined(this.#heads)
    const writer = new ByteWriter(64 + heads.length + this.#next.length)
    writer.varint(this.#now).varint(this.#pages).bytes(this.#next).bytes(heads)
    return { head: writer.finish(), body: this.#loader.snapshot() }
  }

  /** @throws {ProtocolError} */
  static async resume(
    head: ByteReader,
    body: AsyncIterable<Uint8Array>,
    options: ShardOptions,
  ): Promise<Arrival> {
    const arrival = new Arrival(options, head.varint())
    arrival.#pages = head.varint()
    arrival.#next = head.bytes().slice()
    const heads = head.bytes().slice()
    if (heads.length > 0) arrival.#heads.push(heads)
    head.end()
    arrival.#loader = await Loader.resume(body, { ...options, now: arrival.#now })
    return arrival
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter(256)
  for (const piece of pieces) writer.raw(piece)
  return writer.finish()
}

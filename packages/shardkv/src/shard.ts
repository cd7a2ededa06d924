/**
 * One shard: kvraft's store and the sessions of the clients that write to it, moved as one. What kvraft's server keeps once, a
 * group keeps once for each of its shards.
 */
import type { ApplyContext } from '@lab/raft'
import { ReplicatedMachine } from '@lab/raft/rsm'
import { KvStore, storeCodecs } from '@lab/kvraft'
import type { PageCursor } from '@lab/kvraft/parts'
import { ByteReader, ByteWriter } from '@lab/rpc'
import type { HandOffPage } from './hand-off.ts'

export interface ShardOptions {
  /** Of changes remembered for watches. */
  readonly historyBytes: number
  readonly hashSeed: number
}

const HEAD = 0
const STORE = 1

export class Shard {
  readonly store: KvStore
  readonly #machine: ReplicatedMachine
  /** Reads and writes that this replica did. */
  operations = 0
  /** While nothing changes the shard: its sessions, to be read in pieces. */
  #head: Uint8Array | null = null

  constructor(store: KvStore) {
    this.store = store
    this.#machine = new ReplicatedMachine({ machine: store, ...storeCodecs })
  }

  static empty(options: ShardOptions): Shard {
    return new Shard(new KvStore(options))
  }

  /** How many clients are remembered. */
  get sessions(): number {
    return this.#machine.sessions
  }

  /** @param envelope see `@lab/raft/rsm` @returns the reply */
  execute(envelope: Uint8Array, context: ApplyContext): Uint8Array {
    this.#head = null
    this.operations++
    return this.#machine.execute(envelope, context)
  }

  /** Answers a query of kvraft's. @throws {ProtocolError} */
  query(query: Uint8Array): Uint8Array {
    this.operations++
    return this.store.query(query)
  }

  /** Nothing changes it from here on. @param time log time: deadlines are told from it */
  freeze(time: number): void {
    this.store.passTime(time)
  }

  /** Takes over the sessions of the shard that this one was. @throws {ProtocolError} */
  adopt(head: Uint8Array, now: number): void {
    this.#machine.adopt(head, now)
  }

  /**
   * A page of a shard that is frozen, see hand-off.ts: sessions first, then the store.
   *
   * @param writer takes what is of the store: good until it is used again
   * @throws {ProtocolError} on a cursor that is none
   */
  page(cursor: PageCursor, bytesMax: number, writer?: ByteWriter): HandOffPage {
    const head = (this.#head ??= this.#machine.header())
    const place = placeOf(cursor)
    if (place.kind === STORE) return this.#storePage(new Uint8Array(0), place.cursor, bytesMax, writer)
    const end = Math.min(place.offset + bytesMax, head.length)
    const piece = head.subarray(place.offset, end)
    if (end < head.length) {
      const next = new ByteWriter(9).u8(HEAD).varint(end).finish()
      return { head: piece, store: new Uint8Array(0), next }
    }
    return this.#storePage(piece, new Uint8Array(0), bytesMax - piece.length, writer)
  }

  /** Everything, as of this moment; applying goes on while the chunks are drawn. */
  snapshot(): Iterable<Uint8Array> {
    return join(this.#machine.header(), this.store.snapshot())
  }

  /** @throws {ProtocolError} on chunks that are no snapshot of ours */
  restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#machine.restore(chunks)
  }

  #storePage(head: Uint8Array, cursor: PageCursor, bytesMax: number, writer?: ByteWriter): HandOffPage {
    const { bytes, next } = this.store.page(cursor, Math.max(1, bytesMax), writer)
    return { head, store: bytes, next: next === null ? null : storeCursor(next) }
  }
}

function storeCursor(cursor: PageCursor): PageCursor {
  return new ByteWriter(1 + cursor.length).u8(STORE).raw(cursor).finish()
}

function placeOf(
  cursor: PageCursor,
):
  | { readonly kind: typeof HEAD; readonly offset: number }
  | { readonly kind: typeof STORE; readonly cursor: PageCursor } {
  if (cursor.length === 0) return { kind: HEAD, offset: 0 }
  const reader = new ByteReader(cursor)
  return reader.u8() === HEAD
    ? { kind: HEAD, offset: reader.varint() }
    : { kind: STORE, cursor: reader.raw(reader.remaining) }
}

function* join(head: Uint8Array, rest: Iterable<Uint8Array>): Generator<Uint8Array, void, undefined> {
  yield head
  yield* rest
}

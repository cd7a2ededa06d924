/**
 * What a process says of the groups that it runs replicas of, beside Raft's own services. Nothing here changes anything, and every
 * answer is of committed entries, so that any replica may give it: a shard is read from followers as well as from the leader.
 *
 *     page    varint gid · varint shard · varint num · bytes cursor
 *             → u8 0 page: u32 crc of the rest · u8 is last · bytes next · bytes head · store to the end
 *               u8 1 not yet: the group has not applied configuration num · u8 2 handed over · u8 3 no such group here
 *     taken   varint gid · varint count · per shard: varint shard · varint num
 *             → u8 each: 1 when the group has all that configuration num gave it of the shard
 *     watch   varint gid · varint shard · bytes request (kvraft's) → kvraft's items
 *     status  the gid → GroupStatus
 */
import { watchRequestCodec, type WatchRequest } from '@lab/kvraft/parts'
import { crc32 } from '@lab/raft/rsm'
import { ByteReader, ByteWriter, bytesCodec, service, stream, unary, type Codec } from '@lab/rpc'
import type { Gid } from '@lab/shardctrler'
import type { PageCursor } from '@lab/kvraft/parts'
import type { HandOffPage } from './hand-off.ts'
import type { ShardState } from './migration.ts'

export interface PageRequest {
  readonly gid: Gid
  readonly shard: number
  readonly num: number
  readonly cursor: PageCursor
}

export type PageAnswer =
  | { readonly kind: 'page'; readonly page: HandOffPage }
  | { readonly kind: 'not-yet' | 'handed-over' | 'not-here' }
  /** The bytes are not those that were sent. */
  | { readonly kind: 'damaged' }

const PAGE = 0
const KINDS = { 'not-yet': 1, 'handed-over': 2, 'not-here': 3 } as const

export interface ShardMove {
  readonly shard: number
  readonly num: number
}

export interface TakenRequest {
  readonly gid: Gid
  readonly moves: readonly ShardMove[]
}

export interface ShardWatchRequest {
  readonly gid: Gid
  readonly shard: number
  readonly request: WatchRequest
}

/** One shard as one replica sees it. */
export interface ShardReport {
  readonly shard: number
  readonly state: ShardState['name']
  /** Of the configuration that froze it here, or that gave it to this group; 0 when it serves. */
  readonly num: number
  /** The group that it goes to or comes from; 0 when it serves. */
  readonly other: Gid
  readonly keys: number
  /** Of keys and values; while it arrives, of those that have come. */
  readonly bytes: number
  /** Reads and writes since this replica started. */
  readonly operations: number
}

export interface GroupStatus {
  readonly gid: Gid
  /** Of the newest configuration applied here. */
  readonly num: number
  readonly isLeader: boolean
  readonly shards: readonly ShardReport[]
}

export const pageRequestCodec: Codec<PageRequest> = {
  encode: ({ gid, shard, num, cursor }) =>
    new ByteWriter(32 + cursor.length).varint(gid).varint(shard).varint(num).bytes(cursor).finish(),
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const request = { gid: reader.varint(), shard: reader.varint(), num: reader.varint() }
    const cursor = reader.bytes()
    reader.end()
    return { ...request, cursor }
  },
}

/** Many pages follow each other: a buffer for each would keep the collector busy. */
const pageWriter = new ByteWriter(1024)

/** What `encode` gives is good until the next: for sending, not for keeping. */
export const pageAnswerCodec: Codec<PageAnswer> = {
  encode(answer) {
    if (answer.kind !== 'page') return Uint8Array.of(answer.kind === 'damaged' ? PAGE : KINDS[answer.kind])
    const { head, store, next } = answer.page
    const writer = pageWriter
    writer.reset()
    writer.u8(PAGE).u32(0)
    writer.u8(Number(next === null)).bytes(next ?? new Uint8Array(0))
    writer.bytes(head).raw(store)
    writer.patchU32(1, crc32(writer.view(), 5))
    return writer.view()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const kind = reader.u8()
    if (kind === KINDS['not-yet']) return { kind: 'not-yet' }
    if (kind === KINDS['handed-over']) return { kind: 'handed-over' }
    if (kind !== PAGE) return { kind: 'not-here' }
    if (reader.remaining < 4 || reader.u32() !== crc32(bytes, 5)) return { kind: 'damaged' }
    const isLast = reader.u8() === 1
    const next = reader.bytes()
    const head = reader.bytes()
    return { kind: 'page', page: { next: isLast ? null : next, head, store: reader.raw(reader.remaining) } }
  },
}

export const takenRequestCodec: Codec<TakenRequest> = {
  encode({ gid, moves }) {
    const writer = new ByteWriter(16 + 8 * moves.length).varint(gid).varint(moves.length)
    for (const { shard, num } of moves) writer.varint(shard).varint(num)
    return writer.finish()
  },
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const gid = reader.varint()
    const moves = Array.from({ length: reader.count(2) }, () => ({
      shard: reader.varint(),
      num: reader.varint(),
    }))
    reader.end()
    return { gid, moves }
  },
}

const shardWatchCodec: Codec<ShardWatchRequest> = {
  encode: ({ gid, shard, request }) =>
    new ByteWriter(64).varint(gid).varint(shard).raw(watchRequestCodec.encode(request)).finish(),
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const place = { gid: reader.varint(), shard: reader.varint() }
    return { ...place, request: watchRequestCodec.decode(reader.raw(reader.remaining)) }
  },
}

export const ShardService = service('shardkv', {
  page: unary<PageRequest, PageAnswer>({ request: pageRequestCodec, response: pageAnswerCodec }),
  taken: unary<TakenRequest, Uint8Array>({ request: takenRequestCodec, response: bytesCodec }),
  watch: stream<ShardWatchRequest, Uint8Array>({ request: shardWatchCodec, item: bytesCodec }),
  status: unary<Gid, GroupStatus | null>(),
})

/**
 * What a group's log holds, as bytes:
 *
 *     client     u8 1 · varint shard · envelope of a session (see @lab/raft/rsm), with a command of kvraft's in it
 *     open       u8 2 · varint shard · client id (16 bytes): begins a session with the shard
 *     configure  u8 3 · configuration
 *     page       u8 4 · varint shard · varint num · bytes from · u8 is last · bytes next · bytes head · store to the end
 *     delete     u8 5 · varint shard · varint num
 *     expire     u8 6 · varint shard
 *
 * and what applying one gives:
 *
 *     done       u8 0 · the reply, of client and open
 *     elsewhere  u8 1 · varint num: this group does not serve the shard, as of its configuration
 *     refused    u8 2 · text why
 *
 * The numbers are on disk: never reuse one.
 */
import { configCodec, type Config } from '@lab/shardctrler'
import { ByteReader, ByteWriter, type Codec } from '@lab/rpc'
import type { PageCursor } from '@lab/kvraft/parts'
import type { HandOffPage } from './hand-off.ts'

export const CommandKind = { client: 1, open: 2, configure: 3, page: 4, delete: 5, expire: 6 } as const
export const ResultKind = { done: 0, elsewhere: 1, refused: 2 } as const

export function encodeClient(shard: number, envelope: Uint8Array): Uint8Array {
  return new ByteWriter(10 + envelope.length).u8(CommandKind.client).varint(shard).raw(envelope).finish()
}

export function encodeOpenSession(shard: number, clientId: Uint8Array): Uint8Array {
  return new ByteWriter(32).u8(CommandKind.open).varint(shard).raw(clientId).finish()
}

export function encodeConfigure(config: Config, codec: Codec<Config> = configCodec): Uint8Array {
  const bytes = codec.encode(config)
  return new ByteWriter(1 + bytes.length).u8(CommandKind.configure).raw(bytes).view()
}

export interface PageCommand extends HandOffPage {
  readonly shard: number
  readonly num: number
  /** Where it begins: it must be the page that the group waits for. */
  readonly from: PageCursor
}

/** @param writer takes it: what is returned is good until it is used again */
export function encodePage(
  { shard, num, from, head, store, next }: PageCommand,
  writer = new ByteWriter(64 + from.length + head.length + store.length),
): Uint8Array {
  writer.reset()
  writer.u8(CommandKind.page).varint(shard).varint(num).bytes(from)
  writer.u8(Number(next === null)).bytes(next ?? new Uint8Array(0))
  return writer.bytes(head).raw(store).view()
}

/** Behind the kind. All are views. @throws {ProtocolError} */
export function readPageCommand(reader: ByteReader): PageCommand {
  const shard = reader.varint()
  const num = reader.varint()
  const from = reader.bytes()
  const isLast = reader.u8() === 1
  const next = reader.bytes()
  const head = reader.bytes()
  return { shard, num, from, next: isLast ? null : next, head, store: reader.raw(reader.remaining) }
}

export function encodeDelete(shard: number, num: number): Uint8Array {
  return new ByteWriter(16).u8(CommandKind.delete).varint(shard).varint(num).finish()
}

export function encodeExpire(shard: number): Uint8Array {
  return new ByteWriter(8).u8(CommandKind.expire).varint(shard).finish()
}

export type GroupResult =
  | { readonly kind: 'done'; readonly reply: Uint8Array }
  | { readonly kind: 'elsewhere'; readonly num: number }
  | { readonly kind: 'refused'; readonly why: string }

export function done(reply: Uint8Array): Uint8Array {
  return new ByteWriter(1 + reply.length).u8(ResultKind.done).raw(reply).finish()
}

export const DONE: Uint8Array = Uint8Array.of(ResultKind.done)

export function elsewhere(num: number): Uint8Array {
  return new ByteWriter(9).u8(ResultKind.elsewhere).varint(num).finish()
}

export function refused(why: string): Uint8Array {
  return new ByteWriter(64).u8(ResultKind.refused).text(why).finish()
}

/** @throws {ProtocolError} */
export function decodeGroupResult(bytes: Uint8Array): GroupResult {
  const reader = new ByteReader(bytes)
  switch (reader.u8()) {
    case ResultKind.done:
      return { kind: 'done', reply: reader.raw(reader.remaining) }
    case ResultKind.elsewhere:
      return { kind: 'elsewhere', num: reader.varint() }
    default:
      return { kind: 'refused', why: reader.text() }
  }
}

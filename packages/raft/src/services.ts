/**
 * What Raft servers offer over RPC. All bodies are bytes of our own codecs; each but `beat` and `hello` begins with a varint, the group that
 * it is for, 0 where there is one only.
 *
 *     raft.peer    message    wire.ts: Raft's own messages, one way
 *                  readIndex  nothing, or u8 1: the lease will do → varint index: what a follower must have applied before it answers
 *                             a read (thesis §6.4); 0: leases are off
 *                  beat       host/beat.ts: the heartbeat of a process, for all its groups at once
 *                  hello      driver/greeting.ts: for all groups at once, who knows which configuration, where it is reached, and whether it
 *                             starts → why its messages do not count
 *     raft.client  propose    envelopes (rsm/envelope.ts), a list (calls/list.ts) → of each its reply (rsm/reply.ts) or a refusal
 *                             (calls/refusal.ts), once it is known: in parts, where some are known long before others
 *                  open       a client id → a reply or a refusal
 *                  read       how fresh (reads.ts), then queries, a list → of each u8 1 · answer, or a refusal; what would make the
 *                             response too large is left out, and is asked for again
 *                  membership nothing → u8 1 · MembershipReport as JSON, from the leader, or a refusal
 *                  status     the group, or nothing → ServerStatus
 *                  backup     the group, or nothing → the bytes of a backup file (recovery/backup.ts), at least as new as the call
 *     raft.admin   change     a ChangeRequest as JSON → u8 1 · MembershipReport as JSON, or a refusal
 *                  transfer   a TransferRequest as JSON → u8 1 · Handover as JSON, or a refusal
 *                  stepDown   nothing → the same
 */
import {
  ByteReader,
  ByteWriter,
  bytesCodec,
  notification,
  service,
  stream,
  unary,
  type Client,
  type TraceSaid,
} from '@lab/rpc'
import { readItems } from './calls/list.ts'
import type { SentList } from './calls/open-lists.ts'
import type { CoreStatus } from './core/ready.ts'
import { describeMessage } from './describe-message.ts'
import { decodeWanted } from './reads.ts'
import type { Index, NodeId, Role, Term } from './types.ts'
import { decodeGroupMessage } from './wire.ts'

const bytes = { request: bytesCodec, response: bytesCodec }

/** For members only. */
export const PeerService = service('raft.peer', {
  message: notification<Uint8Array>({
    message: bytesCodec,
    describe: (bytes) => {
      const { group, message } = decodeGroupMessage(bytes)
      return group === 0 ? describeMessage(message) : { ...describeMessage(message), g: group }
    },
  }),
  readIndex: unary<Uint8Array, Uint8Array>(bytes),
  beat: notification<Uint8Array>({ message: bytesCodec }),
  hello: unary<Uint8Array, Uint8Array>(bytes),
})

/** For everybody. */
export const ClientService = service('raft.client', {
  propose: unary<Uint8Array, Uint8Array>({
    ...bytes,
    describe: (bytes) => {
      const reader = new ByteReader(bytes)
      return listSaid(reader.varint(), reader)
    },
  }),
  open: unary<Uint8Array, Uint8Array>(bytes),
  read: unary<Uint8Array, Uint8Array>({
    ...bytes,
    describe: (bytes) => {
      const reader = new ByteReader(bytes)
      const group = reader.varint()
      decodeWanted(reader)
      return listSaid(group, reader)
    },
  }),
  membership: unary<Uint8Array, Uint8Array>(bytes),
  status: unary<number | undefined, ServerStatus>(),
  backup: stream<number | undefined, Uint8Array>({ item: bytesCodec }),
})

/** For operators, and for members, which pass on what they are asked. */
export const AdminService = service('raft.admin', {
  change: unary<Uint8Array, Uint8Array>(bytes),
  transfer: unary<Uint8Array, Uint8Array>(bytes),
  stepDown: unary<Uint8Array, Uint8Array>(bytes),
})

export type AdminClient = Client<(typeof AdminService)['methods']>
export type PeerClient = Client<(typeof PeerService)['methods']>
export type RequestClient = Client<(typeof ClientService)['methods']>

/** A larger buffer is not kept for the next request. */
const KEPT_BYTES_MAX = 128 * 1024
let scratch = new ByteWriter(1024)

/** A body with the group that it is for. @returns bytes that hold until the next call: a link copies what it is given */
export function forGroup(group: number, body: Uint8Array): Uint8Array {
  return forThis().varint(group).raw(body).view()
}

function forThis(): ByteWriter {
  if (scratch.length > KEPT_BYTES_MAX) scratch = new ByteWriter(1024)
  scratch.reset()
  return scratch
}

function listSaid(group: number, rest: ByteReader): TraceSaid {
  const count = readItems(rest).length
  return group === 0 ? { count } : { count, g: group }
}

/** A list with the group that it is for. @returns as {@link forGroup} */
export function listForGroup(group: number, { head, items }: SentList): Uint8Array {
  const writer = forThis().varint(group).raw(head)
  for (const item of items) writer.bytes(item)
  return writer.view()
}

/** What {@link forGroup} or {@link listForGroup} was given. */
export function fromGroup(bytes: Uint8Array): { readonly group: number; readonly body: Uint8Array } {
  const reader = new ByteReader(bytes)
  return { group: reader.varint(), body: reader.raw(reader.remaining) }
}

/** How much of the log each follower has, as its leader knows. */
export function matchIndexesOf(followers: CoreStatus['followers']): Record<NodeId, Index> {
  const all: Record<NodeId, Index> = {}
  for (const peer in followers) all[peer] = followers[peer]?.matchIndex ?? 0
  return all
}

/** One server as it sees itself. */
export interface ServerStatus {
  readonly id: NodeId
  readonly clusterId: string
  readonly role: Role
  readonly term: Term
  /** Who leads, as far as this server knows. */
  readonly leader: NodeId | null
  readonly commitIndex: Index
  readonly appliedIndex: Index
  readonly lastIndex: Index
  readonly snapshotIndex: Index
  readonly voters: readonly NodeId[]
  /** Not empty while the configuration is joint (§6). */
  readonly votersOutgoing: readonly NodeId[]
  readonly learners: readonly NodeId[]
  /** Where its newest configuration stands in the log. */
  readonly membershipIndex: Index
  /** Where each member is reached. */
  readonly addresses: Readonly<Record<NodeId, readonly string[]>>
  /** On the leader: the last index that each follower is known to hold. */
  readonly matchIndexes: Readonly<Record<NodeId, Index>>
  /** Clients remembered. */
  readonly sessions: number
}

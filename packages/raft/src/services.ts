/**
 * What Raft servers offer over RPC. All bodies are bytes of our own codecs; each but `beat` and `hello` begins with a varint, the group that
 * it is for, 0 where there is one only.
 *
 *     raft.peer    message    wire.ts: Raft's own messages, one way
 *                  readIndex  nothing, or u8 1: the lease will do → varint index: what a follower must have applied before it answers
 *                             a read (thesis §6.4); 0: leases are off
 *                  beat       host/beat.ts: the heartbeat of a process, for all its groups at once
 *                  hello      driver/greeting.ts: for all groups at once, who knows which configuration, and where it is reached → why its messages
 *                             do not count
 *     raft.client  propose    an envelope (rsm/envelope.ts) → a reply (rsm/reply.ts) or a refusal (calls/refusal.ts)
 *                  open       a client id → the same
 *                  read       see reads.ts → u8 1 · answer, or a refusal
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
} from '@lab/rpc'
import { describeMessage } from './describe-message.ts'
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
  propose: unary<Uint8Array, Uint8Array>(bytes),
  open: unary<Uint8Array, Uint8Array>(bytes),
  read: unary<Uint8Array, Uint8Array>(bytes),
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
const KEPT_BYTES_MAX = 64 * 1024
let scratch = new ByteWriter(1024)

/** A body with the group that it is for. @returns bytes that hold until the next call: a link copies what it is given */
export function forGroup(group: number, body: Uint8Array): Uint8Array {
  if (scratch.length > KEPT_BYTES_MAX) scratch = new ByteWriter(1024)
  scratch.reset()
  return scratch.varint(group).raw(body).view()
}

/** What {@link forGroup} was given. */
export function fromGroup(bytes: Uint8Array): { readonly group: number; readonly body: Uint8Array } {
  const reader = new ByteReader(bytes)
  return { group: reader.varint(), body: reader.raw(reader.remaining) }
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

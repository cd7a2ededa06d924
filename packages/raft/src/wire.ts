/**
 * Messages as bytes. Each begins with a byte that says which it is; numbers are varints; entries are their log records,
 * unchanged, so that a follower writes what it received. Decoding checks everything that the core relies on.
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import { decodeMembership } from './core/membership.ts'
import type {
  AppendEntries,
  AppendEntriesReply,
  InstallSnapshot,
  InstallSnapshotReply,
  Message,
  RequestVote,
  RequestVoteReply,
  TimeoutNow,
} from './core/messages.ts'
import { EntryKind, RECORD_HEADER_BYTES, payloadOf, type Entry } from './entry.ts'
import { decodeRecords } from './record.ts'

/** The first byte. The numbers are on the wire: never reuse one. */
const Tag = {
  RequestVote: 1,
  RequestVoteReply: 2,
  AppendEntries: 3,
  AppendEntriesReply: 4,
  InstallSnapshot: 5,
  InstallSnapshotReply: 6,
  TimeoutNow: 7,
} as const

/** What a leader may send; other kinds of records are only for disks. */
const REPLICATED: ReadonlySet<EntryKind> = new Set([
  EntryKind.command,
  EntryKind.noop,
  EntryKind.configuration,
])

/** Bytes of an AppendEntries besides its records, at most: a buffer of this size never has to grow. */
const APPEND_OVERHEAD_BYTES = 64

export function encodeMessage(message: Message): Uint8Array {
  const writer = new ByteWriter(sizeHint(message))
  writeMessage(writer, message)
  return writer.view()
}

/** As between servers: the group as a varint, then the message. */
export function encodeGroupMessage(group: number, message: Message): Uint8Array {
  const writer = new ByteWriter(sizeHint(message))
  writeGroupMessage(writer, group, message)
  return writer.view()
}

/** Encodes into a writer of the caller's. */
export function writeGroupMessage(writer: ByteWriter, group: number, message: Message): void {
  writer.varint(group)
  writeMessage(writer, message)
}

/** @throws {ProtocolError} on anything that {@link encodeGroupMessage} would not write */
export function decodeGroupMessage(bytes: Uint8Array): { readonly group: number; readonly message: Message } {
  const reader = new ByteReader(bytes)
  const group = reader.varint()
  const message = readMessage(reader, group)
  reader.end()
  return { group, message }
}

/** Encodes into a writer that has something else before it. */
export function writeMessage(writer: ByteWriter, message: Message): void {
  writer.u8(Tag[message.type]).varint(message.term)
  switch (message.type) {
    case 'RequestVote':
      writer
        .u8(flags(message.preVote, message.transfer))
        .varint(message.lastLogIndex)
        .varint(message.lastLogTerm)
      return
    case 'RequestVoteReply':
      writer.u8(flags(message.preVote, message.voteGranted))
      return
    case 'AppendEntries':
      writer
        .varint(message.prevLogIndex)
        .varint(message.prevLogTerm)
        .varint(message.leaderCommit)
        .varint(message.round)
      writeEntries(writer, message.entries)
      return
    case 'AppendEntriesReply':
      writer
        .u8(flags(message.success))
        .varint(message.prevLogIndex)
        .varint(message.matchIndex)
        .varint(message.conflictIndex)
        .varint(message.conflictTerm)
        .varint(message.round)
      return
    case 'InstallSnapshot':
      writer
        .varint(message.snapshot.index)
        .varint(message.snapshot.term)
        .bytes(message.snapshot.membership)
        .varint(message.size)
        .u32(message.crc)
        .varint(message.offset)
        .varint(message.round)
        .bytes(message.data)
      return
    case 'InstallSnapshotReply':
      writer.u8(flags(message.installed)).varint(message.index).varint(message.offset).varint(message.round)
      return
    case 'TimeoutNow':
      return
  }
}

/**
 * The message that `bytes` are, all of them; they are its own from now on. Entries that are most of the buffer stay where they are:
 * copies of large ones would keep the collector busy. Others get a slab of their own, so that one kept for long does not keep the
 * buffer of a socket.
 *
 * @throws {ProtocolError} on anything that {@link encodeMessage} would not write
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes)
  const message = readMessage(reader, 0)
  reader.end()
  return message
}

function readMessage(reader: ByteReader, group: number): Message {
  const tag = reader.u8()
  const term = reader.varint()
  switch (tag) {
    case Tag.RequestVote:
      return readRequestVote(reader, term)
    case Tag.RequestVoteReply:
      return readRequestVoteReply(reader, term)
    case Tag.AppendEntries:
      return readAppendEntries(reader, term, group)
    case Tag.AppendEntriesReply:
      return readAppendEntriesReply(reader, term)
    case Tag.InstallSnapshot:
      return readInstallSnapshot(reader, term)
    case Tag.InstallSnapshotReply:
      return readInstallSnapshotReply(reader, term)
    case Tag.TimeoutNow:
      return { type: 'TimeoutNow', term } satisfies TimeoutNow
    default:
      throw new ProtocolError(`a message of unknown type ${String(tag)}`)
  }
}

function readRequestVote(reader: ByteReader, term: number): RequestVote {
  const [preVote, transfer] = readFlags(reader, 2)
  const lastLogIndex = reader.varint()
  const lastLogTerm = reader.varint()
  return { type: 'RequestVote', term, preVote, transfer, lastLogIndex, lastLogTerm }
}

function readRequestVoteReply(reader: ByteReader, term: number): RequestVoteReply {
  const [preVote, voteGranted] = readFlags(reader, 2)
  return { type: 'RequestVoteReply', term, preVote, voteGranted }
}

function readAppendEntries(reader: ByteReader, term: number, group: number): AppendEntries {
  const prevLogIndex = reader.varint()
  const prevLogTerm = reader.varint()
  const leaderCommit = reader.varint()
  const round = reader.varint()
  const entries = readEntries(reader, group)
  checkEntries(entries, prevLogIndex, prevLogTerm, term)
  return { type: 'AppendEntries', term, prevLogIndex, prevLogTerm, entries, leaderCommit, round }
}

function readAppendEntriesReply(reader: ByteReader, term: number): AppendEntriesReply {
  const [success] = readFlags(reader, 1)
  const prevLogIndex = reader.varint()
  const matchIndex = reader.varint()
  const conflictIndex = reader.varint()
  const conflictTerm = reader.varint()
  const round = reader.varint()
  return {
    type: 'AppendEntriesReply',
    term,
    success,
    prevLogIndex,
    matchIndex,
    conflictIndex,
    conflictTerm,
    round,
  }
}

function readInstallSnapshot(reader: ByteReader, term: number): InstallSnapshot {
  const index = reader.varint()
  const snapshot = { index, term: reader.varint(), membership: reader.bytes().slice() }
  const size = reader.varint()
  const crc = reader.u32()
  const offset = reader.varint()
  const round = reader.varint()
  const data = reader.bytes().slice()
  const end = offset + data.length
  if (index === 0 || end > size) throw new ProtocolError('a chunk that lies outside its snapshot')
  decodeMembership(snapshot.membership)
  return { type: 'InstallSnapshot', term, snapshot, size, crc, offset, data, done: end === size, round }
}

function readInstallSnapshotReply(reader: ByteReader, term: number): InstallSnapshotReply {
  const [installed] = readFlags(reader, 1)
  const index = reader.varint()
  const offset = reader.varint()
  const round = reader.varint()
  return { type: 'InstallSnapshotReply', term, installed, index, offset, round }
}

/** Records that lie side by side in their slab are copied as one run. */
function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.varint(entries.length)
  for (let at = 0; at < entries.length;) {
    const first = entries[at] as Entry
    let { end } = first
    for (at++; entries[at]?.slab === first.slab && entries[at]?.start === end; at++)
      end = (entries[at] as Entry).end
    writer.raw(first.slab.subarray(first.start, end))
  }
}

function readEntries(reader: ByteReader, group: number): Entry[] {
  const count = reader.count(RECORD_HEADER_BYTES)
  if (count === 0) return []
  const bytes = reader.raw(reader.remaining)
  const isMost = 2 * bytes.length >= bytes.buffer.byteLength
  const entries = decodeRecords(isMost ? bytes : bytes.slice(), 0, undefined, { group })
  if (entries.length !== count)
    throw new ProtocolError(`${String(entries.length)} entries where ${String(count)} were announced`)
  return entries
}

/** Consecutive, terms never decreasing and none later than the leader's, of kinds that are replicated, configurations readable. */
function checkEntries(
  entries: readonly Entry[],
  prevLogIndex: number,
  prevLogTerm: number,
  term: number,
): void {
  let index = prevLogIndex
  let lowest = prevLogTerm
  for (const entry of entries) {
    if (entry.index !== ++index) throw new ProtocolError('entries with a gap')
    if (entry.term < lowest || entry.term > term) throw new ProtocolError('entries whose terms cannot be')
    if (!REPLICATED.has(entry.kind)) throw new ProtocolError('an entry that is only for disks')
    if (entry.kind === EntryKind.configuration) decodeMembership(payloadOf(entry))
    lowest = entry.term
  }
}

function flags(first: boolean, second = false): number {
  return (first ? 1 : 0) | (second ? 2 : 0)
}

function readFlags(reader: ByteReader, count: 1 | 2): [boolean, boolean] {
  const bits = reader.u8()
  if (bits >= 2 ** count) throw new ProtocolError('flags that mean nothing')
  return [(bits & 1) !== 0, (bits & 2) !== 0]
}

function sizeHint(message: Message): number {
  if (message.type === 'InstallSnapshot')
    return message.data.length + message.snapshot.membership.length + 2 * APPEND_OVERHEAD_BYTES
  if (message.type !== 'AppendEntries') return APPEND_OVERHEAD_BYTES
  let bytes = APPEND_OVERHEAD_BYTES
  for (const entry of message.entries) bytes += entry.end - entry.start
  return bytes
}

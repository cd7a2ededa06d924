/**
 * What changes the controller, and its bytes in the log:
 *
 *     create    u8 1 · varint shards · u8 key to shard
 *     join      u8 2 · varint groups · per group: varint gid · varint weight · varint servers · text each
 *     leave     u8 3 · varint groups · varint gid each
 *     move      u8 4 · varint shard · varint gid
 *     pin       u8 5 · varint shards · varint each
 *     unpin     u8 6 · varint shards · varint each
 *     weigh     u8 7 · varint gid · varint weight
 *     relocate  u8 8 · varint gid · varint servers · text each
 *     finished  u8 9 · varint gid · varint num
 *
 * The numbers are on disk: never reuse one. What is not acceptable within them is refused by the machine, not by the codec, so that
 * the refusal has a code.
 */
import { ByteReader, ByteWriter, ProtocolError, type Address, type Codec } from '@lab/rpc'
import { readKeyToShard, readServers, writeKeyToShard, writeServers } from './config-codec.ts'
import type { Gid, KeyToShard } from './config.ts'

/** A group that joins. */
export interface NewGroup {
  readonly gid: Gid
  /** 1 if it is as strong as the others. */
  readonly weight: number
  readonly servers: readonly Address[]
}

export type Command =
  /** Says once how many shards there are; a server's to propose. Afterwards it changes nothing. */
  | { readonly op: 'create'; readonly shards: number; readonly keyToShard: KeyToShard }
  | { readonly op: 'join'; readonly groups: readonly NewGroup[] }
  | { readonly op: 'leave'; readonly gids: readonly Gid[] }
  | { readonly op: 'move'; readonly shard: number; readonly gid: Gid }
  | { readonly op: 'pin' | 'unpin'; readonly shards: readonly number[] }
  | { readonly op: 'weigh'; readonly gid: Gid; readonly weight: number }
  /** The group has other servers now. */
  | { readonly op: 'relocate'; readonly gid: Gid; readonly servers: readonly Address[] }
  /** The group has taken what configuration `num` gives it, and handed over all that it takes away: it asks for no earlier one. */
  | { readonly op: 'finished'; readonly gid: Gid; readonly num: number }

const Kind = {
  ...{ create: 1, join: 2, leave: 3, move: 4, pin: 5 },
  ...{ unpin: 6, weigh: 7, relocate: 8, finished: 9 },
} as const

/** `decode` throws {@link ProtocolError} on anything that `encode` would not write. */
export const commandCodec: Codec<Command> = {
  encode(command) {
    const writer = new ByteWriter(64)
    writeCommand(writer, command)
    return writer.finish()
  },
  write: writeCommand,
  decode(bytes) {
    const reader = new ByteReader(bytes)
    const command = readCommand(reader)
    reader.end()
    return command
  },
}

function writeCommand(to: ByteWriter, command: Command): void {
  to.u8(Kind[command.op])
  switch (command.op) {
    case 'create':
      writeKeyToShard(to.varint(command.shards), command.keyToShard)
      return
    case 'join':
      to.varint(command.groups.length)
      for (const { gid, weight, servers } of command.groups)
        writeServers(to.varint(gid).varint(weight), servers)
      return
    case 'leave':
      writeNumbers(to, command.gids)
      return
    case 'move':
      to.varint(command.shard).varint(command.gid)
      return
    case 'pin':
    case 'unpin':
      writeNumbers(to, command.shards)
      return
    case 'weigh':
      to.varint(command.gid).varint(command.weight)
      return
    case 'relocate':
      writeServers(to.varint(command.gid), command.servers)
      return
    case 'finished':
      to.varint(command.gid).varint(command.num)
  }
}

function readCommand(reader: ByteReader): Command {
  const kind = reader.u8()
  switch (kind) {
    case Kind.create:
      return { op: 'create', shards: reader.varint(), keyToShard: readKeyToShard(reader) }
    case Kind.join:
      return { op: 'join', groups: Array.from({ length: reader.count(3) }, () => readGroup(reader)) }
    case Kind.leave:
      return { op: 'leave', gids: readNumbers(reader) }
    case Kind.move:
      return { op: 'move', shard: reader.varint(), gid: reader.varint() }
    case Kind.pin:
      return { op: 'pin', shards: readNumbers(reader) }
    case Kind.unpin:
      return { op: 'unpin', shards: readNumbers(reader) }
    case Kind.weigh:
      return { op: 'weigh', gid: reader.varint(), weight: reader.varint() }
    case Kind.relocate:
      return { op: 'relocate', gid: reader.varint(), servers: readServers(reader) }
    case Kind.finished:
      return { op: 'finished', gid: reader.varint(), num: reader.varint() }
    default:
      throw new ProtocolError(`a command of unknown kind ${String(kind)}`)
  }
}

function readGroup(reader: ByteReader): NewGroup {
  return { gid: reader.varint(), weight: reader.varint(), servers: readServers(reader) }
}

function writeNumbers(to: ByteWriter, numbers: readonly number[]): void {
  to.varint(numbers.length)
  for (const number of numbers) to.varint(number)
}

function readNumbers(reader: ByteReader): number[] {
  return Array.from({ length: reader.count(1) }, () => reader.varint())
}

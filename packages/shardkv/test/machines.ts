/** Groups without logs, clocks and networks: machines that are given commands, and carry pages to each other. */
import { answerCodec, commandCodec, queryCodec, resultCodec, type Answer, type Command } from '@lab/kvraft'
import { decodeReply, encodePlain, resultOf } from '@lab/raft/rsm'
import { ByteWriter, assert } from '@lab/rpc'
import { firstConfig, type Config } from '@lab/shardctrler'
import { answerPage } from '../src/answers.ts'
import {
  decodeGroupResult,
  encodeClient,
  encodeConfigure,
  encodeDelete,
  encodeExpire,
  encodeOpenSession,
  encodePage,
  type GroupResult,
  type PageCommand,
} from '../src/commands.ts'
import { ShardMachine } from '../src/machine.ts'
import { encodeQuery } from '../src/queries.ts'
import { pageAnswerCodec } from '../src/shard-service.ts'

export const SHARDS = 2
const text = new TextEncoder()
const FIRST = new Uint8Array(0)

/** A configuration of two shards: keys of an even first byte are in shard 0. */
export function config(num: number, ...shards: readonly number[]): Config {
  const groups = Object.fromEntries(
    [...new Set(shards)].filter((gid) => gid !== 0).map((gid) => [gid, [`memory://${gid}`]]),
  )
  return { ...firstConfig(SHARDS, 'first-byte'), num, shards, groups }
}

export class Machine {
  machine: ShardMachine
  time = 1_000_000
  #index = 0

  constructor(of: number | ShardMachine) {
    this.machine = typeof of === 'number' ? new ShardMachine({ gid: of, historyBytes: 4096 }) : of
  }

  get gid(): number {
    return this.machine.gid
  }

  apply(command: Uint8Array): GroupResult {
    const context = { index: ++this.#index, term: 1, time: ++this.time }
    return decodeGroupResult(this.machine.apply(command, context))
  }

  configure(...configs: readonly Config[]): GroupResult['kind'] {
    return configs.map((each) => this.apply(encodeConfigure(each)).kind).at(-1) ?? 'done'
  }

  /** A client's write without a session. */
  write(command: Command, shard = 0): ReturnType<typeof resultCodec.decode> | 'elsewhere' {
    return resultIn(this.apply(encodeClient(shard, encodePlain(commandCodec.encode(command).slice()))))
  }

  put(key: string, value: string, shard = 0, ttl?: number): ReturnType<Machine['write']> {
    return this.write(
      { op: 'put', key: text.encode(key), value: text.encode(value), ...(ttl === undefined ? {} : { ttl }) },
      shard,
    )
  }

  open(clientId: Uint8Array, shard = 0): GroupResult['kind'] {
    return this.apply(encodeOpenSession(shard, clientId)).kind
  }

  /** A write in a session. @param firstUnacknowledged as of the client */
  append(
    clientId: Uint8Array,
    number: number,
    value: string,
    firstUnacknowledged = 1,
  ): ReturnType<Machine['write']> {
    const command = commandCodec.encode({ op: 'append', key: text.encode('b'), value: text.encode(value) })
    const envelope = new ByteWriter(64)
      .u8(2)
      .raw(clientId)
      .varint(number)
      .varint(firstUnacknowledged)
      .raw(command)
    return resultIn(this.apply(encodeClient(0, envelope.finish())))
  }

  get(key: string, shard = 0): string | null {
    const answer = decodeGroupResult(
      this.machine.query(encodeQuery(shard, queryCodec.encode({ op: 'get', key: text.encode(key) }))),
    )
    if (answer.kind !== 'done') return 'elsewhere'
    const { entry } = answerCodec.decode(answer.reply) as Answer
    return entry === null ? null : new TextDecoder().decode(entry.value)
  }

  expire(shard = 0): GroupResult['kind'] {
    return this.apply(encodeExpire(shard)).kind
  }

  delete(num: number, shard = 0): GroupResult['kind'] {
    return this.apply(encodeDelete(shard, num)).kind
  }

  /** The pages that another group would be given, over the wire. */
  pages(num: number, bytesMax?: number, shard = 0): PageCommand[] {
    const pages: PageCommand[] = []
    for (let from: Uint8Array | null = FIRST; from !== null;) {
      const held = this.machine.shards.get(shard)
      const given =
        bytesMax === undefined || held === undefined
          ? answerPage(this.machine, { shard, num, cursor: from })
          : { kind: 'page' as const, page: held.page(from, bytesMax) }
      const answer = pageAnswerCodec.decode(pageAnswerCodec.encode(given).slice())
      assert(answer.kind === 'page', `a page, not ${answer.kind}`)
      pages.push({ ...answer.page, shard, num, from })
      from = answer.page.next
    }
    return pages
  }

  take(page: PageCommand): GroupResult['kind'] {
    return this.apply(encodePage(page)).kind
  }

  /** Another replica, out of a snapshot. */
  async copy(machine = new ShardMachine({ gid: this.gid, historyBytes: 4096 })): Promise<Machine> {
    const copy = new Machine(machine)
    await copy.machine.restore(iterate([this.bytes]))
    copy.time = this.time
    return copy
  }

  get bytes(): Uint8Array {
    return Buffer.concat(Array.from(this.machine.snapshot(), (chunk) => chunk.slice()))
  }
}

function resultIn(result: GroupResult): ReturnType<typeof resultCodec.decode> | 'elsewhere' {
  if (result.kind !== 'done') return 'elsewhere'
  return resultOf(decodeReply(result.reply), resultCodec) as ReturnType<typeof resultCodec.decode>
}

async function* iterate(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}

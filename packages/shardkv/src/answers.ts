/** What any replica tells another group's leader, see shard-service.ts: facts of its own log, good for ever. */
import type { ByteWriter } from '@lab/rpc'
import { PAGE_BYTES } from './limits.ts'
import type { ShardMachine } from './machine.ts'
import type { PageAnswer, PageRequest, TakenRequest } from './shard-service.ts'

/** @param writer takes what is of the store: good until it is used again */
export function answerPage(
  machine: ShardMachine,
  { shard, num, cursor }: Omit<PageRequest, 'gid'>,
  writer?: ByteWriter,
): PageAnswer {
  const { migration } = machine
  const held = migration.holds(shard, num) ? machine.shards.get(shard) : undefined
  if (held !== undefined) return { kind: 'page', page: held.page(cursor, PAGE_BYTES, writer) }
  // Never an empty shard: it was here, and is where it went to.
  return { kind: migration.num < num ? 'not-yet' : 'handed-over' }
}

export function answerTaken({ migration }: ShardMachine, { moves }: Pick<TakenRequest, 'moves'>): Uint8Array {
  return Uint8Array.from(moves, ({ shard, num }) => Number(migration.hasTaken(shard, num)))
}

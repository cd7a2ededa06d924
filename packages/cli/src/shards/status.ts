/** What each shard is doing: who serves it, how much it holds, how busy it is. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clerk, GroupStatus, ShardReport } from '@lab/shardkv'
import type { Row } from '../output.ts'

/** Operations are counted twice, so far apart. */
const RATE_MS = 1000

/** One row for each shard that a group has, in the order of shards. */
export async function shardRows(clerk: Clerk, signal: AbortSignal): Promise<Row[]> {
  const before = operationsOf(leaders(await clerk.status()))
  const start = Date.now()
  await sleep(RATE_MS, undefined, { signal })
  const status = leaders(await clerk.status())
  const seconds = (Date.now() - start) / 1000
  const { shards } = clerk.config
  return shards.map((gid, shard) => {
    const group = status.find((one) => one.gid === gid)
    const report = group?.shards.find((one) => one.shard === shard)
    const done = (report?.operations ?? 0) - (before.get(keyOf(gid, shard)) ?? 0)
    return {
      ...{ shard, group: gid, state: stateOf(group, report) },
      ...{
        keys: report?.keys ?? 0,
        bytes: report?.bytes ?? 0,
        'ops/s': Math.max(0, Math.round(done / seconds)),
      },
    }
  })
}

function stateOf(group: GroupStatus | undefined, report: ShardReport | undefined): string {
  if (group === undefined) return 'no leader'
  if (report === undefined) return `waits for configuration ${group.num + 1}`
  switch (report.state) {
    case 'serving':
      return 'serving'
    case 'frozen':
      return `moves to ${report.other}`
    default:
      return report.other === 0 ? report.state : `${report.state} from ${report.other}`
  }
}

/** What the replica that leads says; of a group without a leader, nobody. */
function leaders(status: readonly GroupStatus[]): GroupStatus[] {
  return status.filter(({ isLeader }) => isLeader)
}

function operationsOf(status: readonly GroupStatus[]): Map<string, number> {
  return new Map(
    status.flatMap(({ gid, shards }) =>
      shards.map((one) => [keyOf(gid, one.shard), one.operations] as const),
    ),
  )
}

function keyOf(gid: number, shard: number): string {
  return `${gid}/${shard}`
}

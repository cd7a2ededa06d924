/** What each shard is doing: who serves it, how much it holds, how busy it is. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clerk, GroupStatus, ShardReport } from '@lab/shardkv'
import type { Row } from '../output.ts'

/** Operations are counted twice, so far apart. */
const RATE_MS = 1000
/** What of the shards' numbers fits into a line. */
const WHICH_CHARS = 60
const NOBODY = 0

/** What is not known, as no replica leads, is null. */
export interface ShardRow {
  readonly shard: number
  readonly group: number
  readonly state: string
  readonly keys: number | null
  readonly bytes: number | null
  /** Reads and writes a second. */
  readonly 'ops/s': number | null
}

/** One for each shard, in the order of shards. */
export async function shardRows(clerk: Clerk, signal: AbortSignal): Promise<ShardRow[]> {
  const before = operationsOf(leaders(await clerk.status()))
  const start = Date.now()
  await sleep(RATE_MS, undefined, { signal })
  const status = leaders(await clerk.status())
  const seconds = (Date.now() - start) / 1000
  const groups = new Map(status.map((group) => [group.gid, group]))
  const reports = new Map(
    status.flatMap(({ gid, shards }) => shards.map((one) => [keyOf(gid, one.shard), one] as const)),
  )
  return clerk.config.shards.map((gid, shard) => {
    const key = keyOf(gid, shard)
    const report = reports.get(key)
    const done = report === undefined ? null : report.operations - (before.get(key) ?? 0)
    return {
      ...{ shard, group: gid, state: stateOf(gid, groups.get(gid), report) },
      ...{ keys: report?.keys ?? null, bytes: report?.bytes ?? null },
      'ops/s': done === null ? null : Math.max(0, Math.round(done / seconds)),
    }
  })
}

/** For people, when there are hundreds: one for each group and state, with which and how many. */
export function summaryRows(rows: readonly ShardRow[]): Row[] {
  const alike = new Map<string, ShardRow[]>()
  for (const row of rows) {
    const key = `${row.group} ${row.state}`
    alike.set(key, [...(alike.get(key) ?? []), row])
  }
  return [...alike.values()]
    .sort(([a], [b]) => (a?.group ?? 0) - (b?.group ?? 0))
    .map((same) => ({
      ...{ shards: same.length, group: same[0]?.group, state: same[0]?.state },
      ...{ keys: sumOf(same, 'keys'), bytes: sumOf(same, 'bytes'), 'ops/s': sumOf(same, 'ops/s') },
      which: shortened(ranges(same.map(({ shard }) => shard))),
    }))
}

/** `0-20 63` */
export function ranges(shards: readonly number[]): string {
  const starts = shards.filter((shard, i) => shard - 1 !== shards[i - 1])
  const ends = shards.filter((shard, i) => shard + 1 !== shards[i + 1])
  return starts.map((start, i) => (start === ends[i] ? `${start}` : `${start}-${ends[i] ?? ''}`)).join(' ')
}

function sumOf(rows: readonly ShardRow[], column: 'keys' | 'bytes' | 'ops/s'): number | null {
  const known = rows.flatMap((row) => row[column] ?? [])
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0)
}

function shortened(text: string): string {
  return text.length <= WHICH_CHARS ? text : `${text.slice(0, text.lastIndexOf(' ', WHICH_CHARS))} …`
}

function stateOf(gid: number, group: GroupStatus | undefined, report: ShardReport | undefined): string {
  if (gid === NOBODY) return 'nobody serves it'
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

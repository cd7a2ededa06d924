/** What the labs' tests of part 4A check of configurations. */
import { LAB_SHARDS, type LabConfig, type LabControllerClerk } from './lab-interface.ts'
import { mustBe } from './lab-rules.ts'

/** The latest configuration has these groups and no others, and they share the shards fairly. */
export async function checkGroups(clerk: LabControllerClerk, gids: readonly number[]): Promise<LabConfig> {
  const config = await clerk.query(-1)
  const found = gidsOf(config)
  const wanted = [...gids].sort((a, b) => a - b)
  mustBe(
    found.join() === wanted.join(),
    'membership',
    `${nameOf(config)} has the groups ${found.join()}, not ${wanted.join()}`,
  )
  mustBe(
    config.shards.length === LAB_SHARDS,
    'validOwners',
    `${nameOf(config)} has ${String(config.shards.length)} shards`,
  )
  const allowed = gids.length === 0 ? [0] : gids
  for (const [shard, gid] of config.shards.entries())
    mustBe(
      allowed.includes(gid),
      'validOwners',
      `shard ${String(shard)} is given to group ${String(gid)} in ${nameOf(config)}`,
    )
  const counts = gids.map((gid) => shardsOf(config, gid).length)
  mustBe(
    gids.length === 0 || Math.max(...counts) - Math.min(...counts) <= 1,
    'balanced',
    `in ${nameOf(config)} groups have ${counts.join(', ')} shards`,
  )
  return config
}

/** Equal in every part, the order of servers too. */
export function checkSame(one: LabConfig, other: LabConfig, rule: 'historyStays' | 'sameEverywhere'): void {
  const seen = `${textOf(one)} has become ${textOf(other)}`
  mustBe(textOf(one) === textOf(other), rule, seen)
}

export function checkServers(config: LabConfig, gid: number, servers: readonly string[]): void {
  const found = config.groups[gid] ?? []
  mustBe(
    found.join() === servers.join(),
    'serversKept',
    `group ${String(gid)} has the servers ${found.join()}, not ${servers.join()}`,
  )
}

/** Shards went to groups that came or from groups that left, and to or from no others; and no more than they had to. */
export function checkFewestMoves(before: LabConfig, after: LabConfig): void {
  const stayed = gidsOf(after).filter((gid) => gid in before.groups)
  for (const [shard, gid] of after.shards.entries()) {
    const from = before.shards[shard] ?? 0
    const isNeedless = from !== gid && stayed.includes(from) && stayed.includes(gid)
    const seen = `shard ${String(shard)} went from group ${String(from)} to ${String(gid)} between ${nameOf(before)} and ${nameOf(after)}`
    mustBe(!isNeedless, 'fewestMoves', seen)
  }
  const moved = after.shards.filter((gid, shard) => before.shards[shard] !== gid).length
  const least = leastMoves(before, gidsOf(after))
  mustBe(
    moved <= least,
    'fewestMoves',
    `${String(moved)} shards moved between ${nameOf(before)} and ${nameOf(after)}; ${String(least)} suffice`,
  )
}

/** What no balanced configuration of these groups can leave where it is. */
function leastMoves({ shards }: LabConfig, gids: readonly number[]): number {
  if (gids.length === 0) return shards.length
  const counts = gids.map((gid) => shards.filter((owner) => owner === gid).length)
  const fair = Math.floor(shards.length / gids.length)
  const roundedUp = Math.min(shards.length % gids.length, counts.filter((count) => count > fair).length)
  return shards.length - counts.reduce((sum, count) => sum + Math.min(count, fair), 0) - roundedUp
}

export function gidsOf({ groups }: LabConfig): number[] {
  return Object.keys(groups)
    .map(Number)
    .sort((a, b) => a - b)
}

export function shardsOf({ shards }: LabConfig, gid: number): number[] {
  return shards.flatMap((owner, shard) => (owner === gid ? [shard] : []))
}

function nameOf({ num }: LabConfig): string {
  return `configuration ${String(num)}`
}

function textOf(config: LabConfig): string {
  const groups = gidsOf(config).map((gid) => `${String(gid)}: ${(config.groups[gid] ?? []).join(' ')}`)
  return `${nameOf(config)} [${config.shards.join(' ')}] { ${groups.join(', ')} }`
}

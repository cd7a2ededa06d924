/** What a trace of a sharded store must obey, over all groups together. */
import type { TraceEvent } from '@lab/rpc'
import { numberOf, textOf } from '../../fields.ts'
import type { RuleName } from '../rules.ts'
import { keyOf, listOf, type Passage, type ShardWorld } from './shard-world.ts'

/** @returns what was seen when the event breaks the rule; null otherwise */
export type ShardLook = (event: TraceEvent, world: ShardWorld) => string | null

export interface ShardProperty {
  readonly rule: RuleName
  readonly look: ShardLook
}

/** What tells that a group has a shard, or answers for it. */
const SERVING = new Set(['created', 'thawed', 'installed', 'read', 'write'])

const oneOwner: ShardLook = (event, world) => {
  if (!SERVING.has(textOf(event, 'what') ?? '')) return null
  const { g: gid = 0 } = event
  const shard = numberOf(event, 'shard') ?? -1
  const num = numberOf(event, 'num') ?? 0
  const named = world.configs.get(num)?.owners[shard]
  const what = `group ${String(gid)} serves shard ${String(shard)} under configuration ${String(num)}`
  if (named !== undefined && named !== gid) return `${what}, which gives it to group ${String(named)}`
  const other = world.owners.get(keyOf(shard, num))
  if (other === undefined || other.gid === gid) return null
  return `${what}, as did group ${String(other.gid)} in event ${String(other.event)}`
}

const servedWhileOwned: ShardLook = (event, world) => {
  const what = textOf(event, 'what')
  const replica = world.replica(event)
  const shard = numberOf(event, 'shard') ?? -1
  if ((what !== 'read' && what !== 'write') || !replica.isKnown || replica.serving.has(shard)) return null
  return `${event.n} of group ${String(event.g ?? 0)} answers a ${what} of shard ${String(shard)}, which is frozen or not there`
}

const configsInOrder: ShardLook = (event, world) => {
  if (textOf(event, 'what') !== 'configured') return null
  const num = numberOf(event, 'num') ?? 0
  const { num: before, isKnown } = world.replica(event)
  if ((isKnown || num === 1) && num > before + 1 && !mayLeap(event, world, before, num))
    return `${event.n} of group ${String(event.g ?? 0)} applies configuration ${String(num)} after ${String(before)}`
  const known = world.configs.get(num)
  if (known === undefined || known.text === listOf(event, 'shards').join()) return null
  return `configuration ${String(num)} is not the same everywhere`
}

/** The controller forgets what every group has finished: a group that owned nothing all the while, and owns nothing now, missed nothing. */
function mayLeap(event: TraceEvent, world: ShardWorld, before: number, num: number): boolean {
  const { g: gid = 0 } = event
  if (listOf(event, 'shards').includes(gid)) return false
  for (let passed = before; passed < num; passed++)
    if (world.configs.get(passed)?.owners.includes(gid) === true) return false
  return true
}

const frozenBeforeInstalled: ShardLook = (event, world) => {
  if (textOf(event, 'what') !== 'installed') return null
  const shard = numberOf(event, 'shard') ?? -1
  const num = numberOf(event, 'num') ?? 0
  const left = world.frozen.get(keyOf(shard, num))
  const from = numberOf(event, 'from')
  const where = `shard ${String(shard)} of configuration ${String(num)}`
  if (left === undefined)
    return from !== undefined && world.groups.has(from)
      ? `group ${String(event.g ?? 0)} has ${where}, and group ${String(from)} has not frozen it`
      : null
  return differs(left, event, where)
}

/** All that was there goes along. */
function differs(
  { gid, keys, revision, sessions }: Passage,
  event: TraceEvent,
  where: string,
): string | null {
  const before: Readonly<Record<string, number | undefined>> = { keys, revision, sessions }
  for (const [name, number] of Object.entries(before)) {
    const now = numberOf(event, name)
    if (number !== undefined && now !== undefined && now !== number)
      return `${where} left group ${String(gid)} with ${name} ${String(number)} and came to group ${String(event.g ?? 0)} with ${String(now)}`
  }
  return null
}

const installedBeforeDeleted: ShardLook = (event, world) => {
  if (textOf(event, 'what') !== 'deleted') return null
  const shard = numberOf(event, 'shard') ?? -1
  const num = numberOf(event, 'num') ?? 0
  const to = numberOf(event, 'to')
  if (world.installed.has(keyOf(shard, num)) || to === undefined || !world.groups.has(to)) return null
  return `group ${String(event.g ?? 0)} deletes shard ${String(shard)} of configuration ${String(num)}, and group ${String(to)} has not got it`
}

export const shardProperties: readonly ShardProperty[] = [
  { rule: 'shardOneOwner', look: oneOwner },
  { rule: 'shardServedWhileOwned', look: servedWhileOwned },
  { rule: 'shardConfigsInOrder', look: configsInOrder },
  { rule: 'shardHandedOverWhole', look: frozenBeforeInstalled },
  { rule: 'shardKeptUntilTaken', look: installedBeforeDeleted },
]

/** What a group of a sharded store does with its shards, in words. */
import type { TraceEvent } from '@lab/rpc'
import { listOf } from './check/shards/shard-world.ts'
import { numberOf, textOf } from './fields.ts'

export function describeShard(event: TraceEvent): string {
  const what = textOf(event, 'what') ?? '?'
  const shard = `shard ${number(event, 'shard')}`
  const config = `configuration ${number(event, 'num')}`
  switch (what) {
    case 'configured':
      return `applies ${config}`
    case 'restored':
      return `restored ${config}: serves ${shards(listOf(event, 'shards'))}`
    case 'created':
      return `${shard} created, ${config}: nobody had it before`
    case 'thawed':
      return `${shard} served again, ${config}: it never left`
    case 'frozen':
      return `${shard} frozen for group ${number(event, 'to')}, ${config}`
    case 'waiting':
      return `${shard} awaited from group ${number(event, 'from')}, ${config}`
    case 'pulled':
      return `${shard} pulled, page ${number(event, 'pages')}: ${number(event, 'bytes')} B, ${config}`
    case 'installed':
      return `${shard} installed, ${config}: ${number(event, 'keys')} keys`
    case 'deleted':
      return `${shard} deleted, ${config}: its new group has it`
    case 'refused':
      return `refused${event['shard'] === undefined ? '' : ` for ${shard}`}: ${textOf(event, 'why') ?? ''}`
    default:
      return `${[what, textOf(event, 'key')].filter(Boolean).join(' ')} in ${shard}, ${config}, revision ${number(event, 'revision')}`
  }
}

function number(event: TraceEvent, field: string): string {
  return String(numberOf(event, field) ?? '?')
}

function shards(numbers: readonly number[]): string {
  return numbers.length === 0 ? 'no shard' : numbers.join(' ')
}

/** What a trace has told of shards so far, over all groups: facts of logs, which stay true once they are told. Replicas repeat them. */
import type { TraceEvent } from '@lab/rpc'
import { numberOf, textOf } from '../../fields.ts'

/** A shard as it left a group, or came to one. */
export interface Passage {
  readonly gid: number
  readonly event: number
  readonly keys: number | undefined
  readonly revision: number | undefined
  readonly sessions: number | undefined
}

/** One replica of one group. */
export interface Replica {
  /** The highest configuration that it has applied, in any of its lives. */
  num: number
  readonly serving: Set<number>
  /** Everything that it serves has been told. */
  isKnown: boolean
}

export class ShardWorld {
  /** By number: the owners, in one text. */
  readonly configs = new Map<number, { readonly text: string; readonly owners: readonly number[] }>()
  /** By shard and configuration. */
  readonly frozen = new Map<string, Passage>()
  readonly installed = new Map<string, Passage>()
  /** Who served the shard under a configuration first. */
  readonly owners = new Map<string, { readonly gid: number; readonly event: number }>()
  /** Groups that have told anything. */
  readonly groups = new Set<number>()
  readonly #replicas = new Map<string, Replica>()

  replica({ n, g = 0 }: TraceEvent): Replica {
    const key = `${n} ${String(g)}`
    let replica = this.#replicas.get(key)
    if (replica === undefined) {
      replica = { num: 0, serving: new Set(), isKnown: false }
      this.#replicas.set(key, replica)
    }
    return replica
  }

  /** Takes note of the event. By now the rules have seen it. */
  update(event: TraceEvent): void {
    const replica = this.replica(event)
    const what = textOf(event, 'what')
    const shard = numberOf(event, 'shard') ?? -1
    const num = numberOf(event, 'num') ?? 0
    this.groups.add(event.g ?? 0)
    switch (what) {
      case 'configured':
        this.#configured(event, replica, num)
        return
      case 'restored':
        replica.num = Math.max(replica.num, num)
        replica.serving.clear()
        for (const each of listOf(event, 'shards')) replica.serving.add(each)
        replica.isKnown = true
        return
      case 'frozen':
        replica.serving.delete(shard)
        note(this.frozen, shard, num, event)
        return
      case 'installed':
        note(this.installed, shard, num, event)
        replica.serving.add(shard)
        break
      case 'created':
      case 'thawed':
        replica.serving.add(shard)
        break
      case 'deleted':
        replica.serving.delete(shard)
        return
      case 'read':
      case 'write':
        break
      default: // 'waiting', 'pulled' and 'refused' are news of no rule
        return
    }
    const key = keyOf(shard, num)
    if (!this.owners.has(key)) this.owners.set(key, { gid: event.g ?? 0, event: event.i })
  }

  #configured(event: TraceEvent, replica: Replica, num: number): void {
    replica.num = Math.max(replica.num, num)
    if (num === 1) replica.isKnown = true
    const owners = listOf(event, 'shards')
    if (!this.configs.has(num)) this.configs.set(num, { text: owners.join(), owners })
  }
}

export function keyOf(shard: number, num: number): string {
  return `${String(shard)} ${String(num)}`
}

/** Whole numbers; an event of a file may hold anything. */
export function listOf(event: TraceEvent, field: string): readonly number[] {
  const value = event[field]
  return Array.isArray(value) ? value.filter((item): item is number => Number.isSafeInteger(item)) : []
}

function note(passages: Map<string, Passage>, shard: number, num: number, event: TraceEvent): void {
  const key = keyOf(shard, num)
  if (passages.has(key)) return
  passages.set(key, {
    ...{ gid: event.g ?? 0, event: event.i },
    ...{ keys: numberOf(event, 'keys'), revision: numberOf(event, 'revision') },
    sessions: numberOf(event, 'sessions'),
  })
}

/** What a group tells of its shards, in words: each replica as it applies its log. */
import { commandCodec, queryCodec } from '@lab/kvraft'
import { eachKey } from '@lab/kvraft/parts'
import type { TraceSink } from '@lab/rpc'
import { commandIn } from './envelope.ts'

export type ShardNews =
  | 'configured'
  | 'created'
  | 'frozen'
  | 'thawed'
  | 'waiting'
  | 'pulled'
  | 'installed'
  | 'deleted'
  | 'refused'
  | 'restored'
  | 'write'
  | 'read'

export interface ShardTrace {
  readonly sink: TraceSink
  readonly node: string
  readonly gid: number
}

/** Tells nothing, at no cost, while nobody traces. */
export function tell(
  trace: ShardTrace | undefined,
  what: ShardNews,
  fields: () => Readonly<Record<string, unknown>>,
): void {
  if (trace === undefined) return
  trace.sink({ n: trace.node, g: trace.gid, k: 'shard', what, ...fields() })
}

const text = new TextDecoder()

/** What a client's command is and which keys it names; of a transaction the first. */
export function keysIn(envelope: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const command = commandIn(envelope)
    const keys: string[] = []
    eachKey(command, (key) => keys.push(text.decode(key)))
    return { op: commandCodec.decode(command).op, key: keys[0] }
  } catch {
    return {}
  }
}

/** The same of a query. */
export function keyIn(query: Uint8Array): Readonly<Record<string, unknown>> {
  const asked = queryCodec.decode(query)
  return asked.op === 'get' ? { op: 'get', key: text.decode(asked.key) } : { op: 'scan' }
}

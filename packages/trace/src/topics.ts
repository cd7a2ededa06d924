/** What an event is about: the colour of its news, and a word of the filter language. */
import type { TraceEvent, TraceKind } from '@lab/rpc'

export const TOPICS = [
  'election',
  'log',
  'snapshot',
  'disk',
  'message',
  'client',
  'fault',
  'life',
  'shard',
  'note',
] as const
export type Topic = (typeof TOPICS)[number]

const BY_KIND: Readonly<Record<TraceKind, Topic>> = {
  role: 'election',
  refuse: 'election',
  config: 'election',
  timer: 'election',
  append: 'log',
  truncate: 'log',
  commit: 'log',
  apply: 'log',
  snapshot: 'snapshot',
  persist: 'disk',
  send: 'message',
  recv: 'message',
  drop: 'fault',
  fault: 'fault',
  stall: 'fault',
  invariant: 'fault',
  start: 'life',
  stop: 'life',
  call: 'client',
  return: 'client',
  shard: 'shard',
  task: 'client',
  note: 'note',
}

export function topicOf({ k }: TraceEvent): Topic {
  // A file may hold kinds of a later version.
  return (BY_KIND as Partial<Record<string, Topic>>)[k] ?? 'note'
}

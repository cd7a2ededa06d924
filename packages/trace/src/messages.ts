import type { TraceEvent } from '@lab/rpc'
import { textOf } from './fields.ts'

/** What a message claims to be: names differ between Rafts, and replies are told by a word at the end. */
export interface MessageKind {
  readonly name: string
  readonly reply: boolean
}

/** `Raft.RequestVote`, `RequestVoteReply`, `requestVote reply` → its name in lower case. */
export function messageKind(event: TraceEvent): MessageKind {
  const type = (textOf(event, 'type') ?? '').toLowerCase()
  const bare = type.slice(type.lastIndexOf('.') + 1)
  const name = bare.replace(/ ?reply$/, '')
  return { name, reply: name !== bare }
}

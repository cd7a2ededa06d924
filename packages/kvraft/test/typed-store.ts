import { commandCodec, type Command } from '../src/commands.ts'
import { answerCodec, queryCodec, type Answer, type Page, type Query } from '../src/queries.ts'
import { resultCodec, type Result } from '../src/results.ts'
import type { KvStore } from '../src/store.ts'

/** Has a store apply a command as the log would: by way of its bytes. */
export function apply(store: KvStore, command: Command, time = 1): Result {
  return resultCodec.decode(store.apply(commandCodec.encode(command), { time }).slice())
}

export function query(store: KvStore, asked: Query): Answer | Page {
  return answerCodec.decode(store.query(queryCodec.encode(asked)))
}

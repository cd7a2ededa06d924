import { commandCodec } from './commands.ts'
import { answerCodec, queryCodec } from './queries.ts'
import { resultCodec } from './results.ts'

/** All four, the same for servers and clerks. */
export const controllerCodecs = { codec: commandCodec, resultCodec, queryCodec, answerCodec } as const

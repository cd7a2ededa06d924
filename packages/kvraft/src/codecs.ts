import { commandCodec } from './commands.ts'
import { answerCodec, queryCodec } from './queries.ts'
import { resultCodec } from './results.ts'

/** All four, as `RaftNode` and `RaftClient` take them: servers and clerks must agree. */
export const kvCodecs = { codec: commandCodec, resultCodec, queryCodec, answerCodec } as const

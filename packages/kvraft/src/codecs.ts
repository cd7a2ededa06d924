import { bytesCodec } from '@lab/rpc'
import { commandCodec } from './commands.ts'
import { answerCodec, queryCodec } from './queries.ts'
import { resultCodec } from './results.ts'

/** All four, as clerks take them: they say what the bytes mean that servers keep, see {@link storeCodecs}. */
export const kvCodecs = { codec: commandCodec, resultCodec, queryCodec, answerCodec } as const

/** As servers take them: `KvStore` reads commands and queries where they stand and writes its own results. */
export const storeCodecs = {
  codec: bytesCodec,
  resultCodec: bytesCodec,
  queryCodec: bytesCodec,
  answerCodec: bytesCodec,
} as const

/** The clerk's end of a watch of configurations: goes from server to server, and leaves none out. */
import { RaftError, type ClientReadOptions, type RaftClient } from '@lab/raft'
import { RpcError, sleep, type Clock, type Milliseconds } from '@lab/rpc'
import { configCodec } from './config-codec.ts'
import { ConfigService } from './config-service.ts'
import type { Config } from './config.ts'

const RETRY_MS: Milliseconds = 100
/** After so long a silence the leader is asked whether there is one that this server does not know: it may be cut off. */
const SILENCE_MS: Milliseconds = 2000

export interface ConfigWatchOptions {
  /** The number of a configuration: the next ones are told. Default: the latest. */
  readonly after?: number
  /** Ends the watch, with `CANCELLED`. */
  readonly signal?: AbortSignal
}

interface WatchOf {
  readonly options: ConfigWatchOptions
  readonly client: Pick<RaftClient, 'clients'>
  readonly clock: Clock
  readonly query: (num: number, options: ClientReadOptions) => Promise<Config>
  readonly isClosed: () => boolean
}

export async function* watchConfigs(watch: WatchOf): AsyncGenerator<Config, void, undefined> {
  const { client, clock, query } = watch
  const { signal, after } = watch.options
  const wait = signal === undefined ? {} : { signal }
  let last = after ?? (await query(-1, wait)).num
  for (let attempt = 0; ; attempt++) {
    checkGoesOn(watch)
    const servers = client.clients(ConfigService)
    const server = servers[attempt % servers.length]
    if (server !== undefined)
      for await (const config of untilSilent(server.watch(last, wait), clock)) {
        if (config.num !== last + 1) continue
        last = config.num
        yield config
      }
    checkGoesOn(watch)
    const next = await query(last + 1, wait).catch(patient)
    if (next?.num === last + 1) {
      last = next.num
      yield next
    } else await sleep(clock, RETRY_MS, signal).catch(() => undefined)
  }
}

/** What one server tells, until it says nothing for long, or dies. */
async function* untilSilent(
  items: AsyncIterable<Uint8Array>,
  clock: Clock,
): AsyncGenerator<Config, void, undefined> {
  const iterator = items[Symbol.asyncIterator]()
  try {
    for (;;) {
      const silence = new AbortController()
      const item = await Promise.race([
        iterator.next().catch(() => null),
        sleep(clock, SILENCE_MS, silence.signal).then(
          () => null,
          () => null,
        ),
      ])
      silence.abort()
      if (item === null || item.done === true) return
      yield configCodec.decode(item.value)
    }
  } finally {
    iterator.return?.().catch(() => undefined)
  }
}

function checkGoesOn({ options: { signal }, isClosed }: WatchOf): void {
  if (signal?.aborted === true)
    throw new RaftError('CANCELLED', 'the watch was called off', { cause: signal.reason })
  if (isClosed()) throw new RaftError('CLOSED', 'the clerk was closed')
}

/** No leader just now: null. @throws all that another attempt would not change */
function patient(thrown: unknown): null {
  const passes = ['TIMEOUT', 'UNAVAILABLE', 'BUSY', 'LEADERSHIP_LOST', 'NOT_LEADER']
  if (thrown instanceof RaftError && passes.includes(thrown.code)) return null
  if (thrown instanceof RpcError) return null
  throw thrown
}

/** Clients of real servers, what they saw, and what must be true of it. */
import { Clerk, type KeyOperations } from '@lab/kvraft/clerk'
import { RaftError } from '@lab/raft'
import { seededRandom, systemClock, type Random } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { Clerk as ShardClerk } from '@lab/shardkv'
import { History, checkLinearizable, kvModel, type KvOp, type KvResult } from '@lab/sim'
import { expect } from 'vitest'

/** Each key is used by few calls and then left, so that its history can be judged. */
const CALLS_PER_KEY = 40

export interface Appended {
  readonly key: string
  readonly acknowledged: ReadonlySet<string>
  readonly unknown: ReadonlySet<string>
}

/** How a store is reached: each call of it makes a clerk, which gives up a call after `timeout` ms. */
export type ClerkMaker = (timeout: number) => Promise<KeyOperations & { close(): Promise<void> }>

export function clerksOf(servers: readonly string[]): ClerkMaker {
  return (timeout) => Clerk.connect({ servers, transport: tcp(), timeout })
}

/** @param controllers the sharded store's */
export function shardClerksOf(controllers: readonly string[]): ClerkMaker {
  return (timeout) => ShardClerk.connect({ controllers, transport: tcp(), timeout, connectTimeout: timeout })
}

interface ClientOptions {
  readonly name: string
  /** What the shared keys begin with. */
  readonly keys: string
  /** How many there are. */
  readonly clients: number
  readonly connect: ClerkMaker
  readonly history: History<KvOp, KvResult>
  readonly random: Random
  readonly stop: AbortSignal
}

/** Clients that work until they are told to stop, and what they see. */
export interface Load {
  readonly history: History<KvOp, KvResult>
  /** @returns what they appended */
  stop(): Promise<Appended[]>
}

/**
 * @param seed of the first client; the others' follow
 * @param name another for another load on the same store: it has keys of its own
 */
export function startLoad(clients: number, connect: ClerkMaker, seed: number, name = 'c'): Load {
  const history = new History<KvOp, KvResult>(systemClock)
  const over = new AbortController()
  const work = Array.from({ length: clients }, (_, at) =>
    client({
      ...{ name: `${name}${String(at)}`, keys: `${name}-`, clients, connect, history },
      ...{ random: seededRandom(seed + at), stop: over.signal },
    }),
  )
  return {
    history,
    stop() {
      over.abort()
      return Promise.all(work)
    },
  }
}

/** Puts and reads shared keys, and appends tokens of its own to one that nobody else touches. */
async function client({
  name,
  keys,
  clients,
  connect,
  history,
  random,
  stop,
}: ClientOptions): Promise<Appended> {
  const clerk = await connect(5000)
  const acknowledged = new Set<string>()
  const unknown = new Set<string>()
  for (let call = 0; !stop.aborted; call++) {
    const key = `${keys}${String(Math.floor((call * clients) / CALLS_PER_KEY))}`
    const value = `${name}.${String(call)}`
    const op: KvOp = random.next() < 0.5 ? { op: 'get', key } : { op: 'put', key, value }
    await history.record(
      name,
      op,
      async () => {
        if (op.op === 'get') return (await clerk.getText(key)) ?? null
        await clerk.put(key, value)
        return null
      },
      outcomeOf,
    )
    if (call % 4 !== 0) continue
    try {
      await clerk.append(`own-${name}`, ` ${value}`)
      acknowledged.add(value)
    } catch (thrown) {
      if (outcomeOf(thrown) === 'unknown') unknown.add(value)
    }
  }
  await clerk.close()
  return { key: `own-${name}`, acknowledged, unknown }
}

/** Every append that was acknowledged is there once, and nothing is there that nobody appended. */
export async function expectNothingLost(connect: ClerkMaker, appended: readonly Appended[]): Promise<void> {
  const clerk = await connect(30_000)
  for (const { key, acknowledged, unknown } of appended) {
    const tokens = ((await clerk.getText(key)) ?? '').split(' ').slice(1)
    const count = new Map<string, number>()
    for (const token of tokens) count.set(token, (count.get(token) ?? 0) + 1)
    expect(tokens.length).toBe(count.size)
    for (const token of acknowledged) expect(count.get(token), `${key}: ${token}`).toBe(1)
    for (const token of count.keys()) expect(acknowledged.has(token) || unknown.has(token)).toBe(true)
  }
  await clerk.close()
}

/** @returns in words, how much was judged */
export function expectLinearizable(history: History<KvOp, KvResult>): string {
  const { verdict, operations, keys, counterExample } = checkLinearizable(kvModel, history.operations)
  expect(counterExample).toBe(null)
  expect(verdict).toBe('yes')
  return `${String(operations)} calls on ${String(keys)} keys linearizable`
}

function outcomeOf(thrown: unknown): 'fail' | 'unknown' {
  if (thrown instanceof RaftError) return thrown.outcome === 'unknown' ? 'unknown' : 'fail'
  throw thrown
}

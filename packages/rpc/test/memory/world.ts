/** A server and a link on a memory network, in virtual time. */
import { expect } from 'vitest'
import {
  RpcError,
  bytesCodec,
  implement,
  notification,
  openLink,
  seededRandom,
  serve,
  service,
  stream,
  unary,
  type Link,
  type LinkOptions,
  type Server,
} from '../../src/index.ts'
import { MemoryNetwork, memory, type MemoryNetworkOptions } from '../../src/memory/index.ts'
import { ManualClock } from '../../src/testing/index.ts'

export const Counter = service('counter', {
  add: unary<number, number>(),
  items: stream<number, number>(),
  note: notification<Uint8Array>({ message: bytesCodec }),
})

export interface World {
  readonly clock: ManualClock
  readonly network: MemoryNetwork
  readonly server: Server
  readonly link: Link
  /** Arguments of `add`, in the order in which they ran. */
  readonly ran: number[]
  readonly notes: number[]
}

export async function world(
  seed = 1,
  options: MemoryNetworkOptions = {},
  linkOptions: Partial<LinkOptions> = {},
): Promise<World> {
  const clock = new ManualClock()
  const random = seededRandom(seed)
  const network = new MemoryNetwork({ clock, random, ...options })
  const ran: number[] = []
  const notes: number[] = []
  const shared = { clock, random, ...(options.trace === undefined ? {} : { trace: options.trace }) }
  const server = await serve(
    { transport: memory(network), listen: 'memory://n1', identity: { nodeId: 'n1' }, ...shared },
    [
      implement(Counter, {
        add: (n) => {
          ran.push(n)
          return n + 1
        },
        async *items(count) {
          for (let n = 1; n <= count; n++) yield await Promise.resolve(n)
        },
        note: (bytes) => void notes.push(bytes[0] ?? -1),
      }),
    ],
  )
  const link = openLink('memory://n1', {
    transport: memory(network, { name: 'c1' }),
    identity: { nodeId: 'c1' },
    reconnect: { minMs: 20, maxMs: 100 },
    ...shared,
    ...linkOptions,
  })
  await clock.settle(link.ready())
  return { clock, network, server, link, ran, notes }
}

export async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => {
    expect(error).toBeInstanceOf(RpcError)
    return `${(error as RpcError).code} ${(error as RpcError).executed}`
  })
}

export async function readAll(items: AsyncIterable<number>): Promise<number[]> {
  const got: number[] = []
  for await (const item of items) got.push(item)
  return got
}

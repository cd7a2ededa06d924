/** Calls, notifications and streams: the same body on every transport. */
import { afterEach, describe, expect, test } from 'vitest'
import {
  bytesCodec,
  connect,
  implement,
  notification,
  openLink,
  RpcError,
  serve,
  service,
  stream,
  unary,
  type CallContext,
  type ConnectOptions,
  type LinkState,
  type ServeOptions,
  type Server,
  type Transport,
} from '../src/index.ts'
import { memory } from '../src/memory/index.ts'
import { tcp } from '../src/tcp/index.ts'

const Mixed = service('mixed', {
  hello: unary<{ name: string }, string>(),
  echo: unary<Uint8Array, Uint8Array>({ request: bytesCodec, response: bytesCodec }),
  nothing: unary(),
  fail: unary<string>(),
  wait: unary<number, string>(),
  context: unary<undefined, { role: string; nodeId: string; hasDeadline: boolean }>(),
  odd: unary<undefined, unknown>(),
  count: stream<{ to: number; bytes?: number }, { n: number; pad: string }>(),
  endless: stream<undefined, number>(),
  broken: stream<undefined, number>(),
  note: notification<string>(),
  notes: unary<undefined, string[]>(),
})

class Refusal extends Error {
  readonly code = 'NOT_TODAY'
  readonly details = { until: 'tomorrow' }
}

/** What the handlers of one server have seen. */
class Seen {
  readonly notes: string[] = []
  readonly aborted: string[] = []
  produced = 0
  returned = 0
  executed = 0
  release: () => void = () => undefined
}

function mixed(seen: Seen) {
  const untilAborted = (ctx: CallContext): Promise<void> =>
    new Promise((resolve) => {
      ctx.signal.addEventListener('abort', () => {
        seen.aborted.push((ctx.signal.reason as RpcError).code)
        resolve()
      })
    })
  return implement(Mixed, {
    hello: ({ name }) => `hello ${name}`,
    echo: (bytes) => bytes,
    nothing: () => undefined,
    fail: (message) => {
      throw new Refusal(message)
    },
    wait: async (ms, ctx) => {
      seen.executed++
      await Promise.race([
        untilAborted(ctx),
        new Promise<void>((resolve) => {
          seen.release = resolve
          if (ms > 0) setTimeout(resolve, ms)
        }),
      ])
      return 'waited'
    },
    context: (_, { peer, deadline }) => ({
      role: peer.role,
      nodeId: peer.nodeId,
      hasDeadline: deadline < Infinity,
    }),
    odd: () => ({ when: new Date(0) }),
    async *count({ to, bytes = 0 }) {
      for (let n = 1; n <= to; n++) {
        seen.produced++
        yield await Promise.resolve({ n, pad: 'x'.repeat(bytes) })
      }
    },
    async *endless(_, ctx) {
      void untilAborted(ctx)
      try {
        for (let n = 1; ; n++) yield await Promise.resolve(n)
      } finally {
        seen.returned++
      }
    },
    async *broken() {
      yield await Promise.resolve(1)
      throw new Refusal('broke')
    },
    note: (text) => {
      if (text === 'bad') throw new Error('bad note')
      seen.notes.push(text)
    },
    notes: () => seen.notes,
  })
}

const transports: Record<string, () => Transport> = { memory: () => memory(), tcp: () => tcp() }
const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

describe.each(Object.keys(transports))('over %s', (name) => {
  const transport = transports[name]?.() as Transport

  async function start(options: Partial<ServeOptions> = {}): Promise<{ server: Server; seen: Seen }> {
    const seen = new Seen()
    const server = await serve({ transport, listen: 'localhost:0', ...options }, [mixed(seen)])
    opened.push({ close: () => server.close({ drainMs: 50 }) })
    return { server, seen }
  }
  async function client(server: Server, options: Partial<ConnectOptions> = {}) {
    const made = await connect(Mixed, server.address, { transport, ...options })
    opened.push(made)
    return made
  }
  async function started() {
    const { server, seen } = await start()
    return { server, seen, client: await client(server) }
  }
  async function failure(promise: Promise<unknown>): Promise<RpcError> {
    const error = await promise.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(RpcError)
    return error as RpcError
  }

  test('a unary call gives what the handler gave: JSON, bytes, or nothing', async () => {
    const { client } = await started()
    expect(await client.hello({ name: 'Ada' })).toBe('hello Ada')
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i)
    expect(Buffer.compare(await client.echo(bytes), bytes)).toBe(0)
    expect(await client.echo(new Uint8Array(0))).toHaveLength(0)
    await expect(client.nothing()).resolves.toBeUndefined()
  })

  test('thousands of calls in flight each get their own reply', async () => {
    const { client, server } = await started()
    const names = Array.from({ length: 5000 }, (_, i) => `n${String(i)}`)
    const replies = await Promise.all(names.map((name) => client.hello({ name })))
    expect(replies).toEqual(names.map((name) => `hello ${name}`))
    expect(server.metrics().calls).toBe(5000)
    expect(server.metrics().inFlight).toBe(0)
  })

  test('what a handler throws reaches the caller with its code and details, as executed', async () => {
    const { client } = await started()
    const error = await failure(client.fail('not now'))
    expect(error).toMatchObject({ code: 'HANDLER_FAILED', executed: 'yes', remoteCode: 'NOT_TODAY' })
    expect(error.message).toContain('not now')
    expect(error.details).toEqual({ until: 'tomorrow' })
  })

  test('values that JSON would change are refused at both ends, with their path', async () => {
    const { client } = await started()
    const error = await failure(client.hello({ name: undefined as unknown as string }))
    expect(error).toMatchObject({ code: 'BAD_REQUEST', executed: 'no' })
    expect(error.message).toContain('at name')
    const reply = await failure(client.odd())
    expect(reply).toMatchObject({ code: 'HANDLER_FAILED', executed: 'yes' })
    expect(reply.message).toContain('at when')
  })

  test('a call that takes too long fails with TIMEOUT, unknown, and its handler learns it', async () => {
    const { client, seen } = await started()
    const before = performance.now()
    const error = await failure(client.wait(0, { timeout: 60 }))
    expect(error).toMatchObject({ code: 'TIMEOUT', executed: 'unknown' })
    expect(performance.now() - before).toBeGreaterThanOrEqual(59)
    await expect.poll(() => seen.aborted.length).toBe(1)
  })

  test('the deadline travels: the handler sees it, and its signal aborts by it', async () => {
    const { client } = await started()
    expect(await client.context(undefined, { timeout: 1000 })).toMatchObject({ hasDeadline: true })
    expect(await client.context(undefined, { timeout: Infinity })).toMatchObject({ hasDeadline: false })
  })

  test('a cancelled call fails with CANCELLED and its handler is told', async () => {
    const { client, seen } = await started()
    const abort = new AbortController()
    const call = client.wait(0, { signal: abort.signal })
    await expect.poll(() => seen.executed).toBe(1)
    abort.abort()
    expect(await failure(call)).toMatchObject({ code: 'CANCELLED', executed: 'unknown' })
    await expect.poll(() => seen.aborted).toEqual(['CANCELLED'])
    expect(await failure(client.hello({ name: 'x' }, { signal: abort.signal }))).toMatchObject({
      code: 'CANCELLED',
      executed: 'no',
    })
  })

  test('a client that goes away aborts what runs for it', async () => {
    const { client, seen } = await started()
    const call = failure(client.wait(0))
    await expect.poll(() => seen.executed).toBe(1)
    client.close()
    expect(await call).toMatchObject({ code: 'CLOSED', executed: 'unknown' })
    await expect.poll(() => seen.aborted).toEqual(['CLOSED'])
  })

  test('notifications arrive in order; one whose handler throws harms nothing', async () => {
    const { client, server } = await started()
    for (const text of ['one', 'bad', 'two']) client.note(text)
    expect(await client.notes()).toEqual(['one', 'two'])
    expect(server.metrics()).toMatchObject({ notifications: 3, failures: 1 })
  })

  test('a stream gives its items in order and ends', async () => {
    const { client } = await started()
    const got: number[] = []
    for await (const { n } of client.count({ to: 5000 })) got.push(n)
    expect(got).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1))
    const again: number[] = []
    const numbers = client.count({ to: 2 })
    for await (const { n } of numbers) again.push(n)
    for await (const { n } of numbers) again.push(n)
    expect(again).toEqual([1, 2, 1, 2])
  })

  test('a slow reader holds back the handler: it is never more than a window ahead', async () => {
    const { server, seen } = await start()
    const reader = await client(server, { limits: { streamWindowBytes: 10_000 } })
    let read = 0
    for await (const { n } of reader.count({ to: 200, bytes: 1000 })) {
      expect(n).toBe(++read)
      await new Promise((resolve) => setTimeout(resolve, 1))
      // A window, half of it granted ahead, and the one that overshoots.
      expect(seen.produced - read).toBeLessThanOrEqual(17)
    }
    expect(read).toBe(200)
  })

  test('leaving the loop ends the stream at the server', async () => {
    const { client, seen, server } = await started()
    for await (const n of client.endless()) if (n === 10) break
    await expect.poll(() => [seen.returned, server.metrics().inFlight]).toEqual([1, 0])
    expect(seen.aborted).toEqual(['CANCELLED'])
  })

  test('aborting its signal ends a stream with CANCELLED', async () => {
    const { client, seen } = await started()
    const abort = new AbortController()
    const read = async (): Promise<void> => {
      for await (const n of client.endless(undefined, { signal: abort.signal })) if (n === 10) abort.abort()
    }
    expect(await failure(read())).toMatchObject({ code: 'CANCELLED' })
    await expect.poll(() => seen.returned).toBe(1)
  })

  test('a stream whose handler throws gives what came before, then the error', async () => {
    const { client } = await started()
    const got: number[] = []
    const read = async (): Promise<void> => {
      for await (const n of client.broken()) got.push(n)
    }
    expect(await failure(read())).toMatchObject({ code: 'HANDLER_FAILED', remoteCode: 'NOT_TODAY' })
    expect(got).toEqual([1])
  })

  test('a method that the server does not have fails with NO_SUCH_METHOD, not executed', async () => {
    const { server } = await start()
    const Other = service('other', { hello: unary<string, string>(), more: stream<string, string>() })
    const other = await connect(Other, server.address, { transport })
    opened.push(other)
    expect(await failure(other.hello('x'))).toMatchObject({ code: 'NO_SUCH_METHOD', executed: 'no' })
    expect(await failure(other.more('x')[Symbol.asyncIterator]().next())).toMatchObject({
      code: 'NO_SUCH_METHOD',
    })
  })

  test('a service for peers answers peers only', async () => {
    const Inner = service('inner', { ask: unary<undefined, string>() })
    const { server } = await start()
    server.add(implement(Inner, { ask: () => 'told' }, { roles: ['peer'] }))
    const asPeer = await connect(Inner, server.address, {
      transport,
      identity: { role: 'peer', nodeId: 'n2' },
    })
    const asClient = await connect(Inner, server.address, { transport })
    opened.push(asPeer, asClient)
    expect(await asPeer.ask()).toBe('told')
    expect(await failure(asClient.ask())).toMatchObject({ code: 'UNAUTHORISED', executed: 'no' })
  })

  test('two services of one name are refused, and one that was removed is gone', async () => {
    const { server, seen } = await start()
    const reader = await client(server)
    expect(() => {
      server.add(mixed(seen))
    }).toThrow('already')
    server.remove(mixed(seen))
    expect(await failure(reader.hello({ name: 'x' }))).toMatchObject({ code: 'NO_SUCH_METHOD' })
  })

  test('connecting to nobody fails with UNREACHABLE in the given time', async () => {
    const { server } = await start()
    await server.close()
    const error = await failure(connect(Mixed, server.address, { transport, timeout: 150 }))
    expect(error).toMatchObject({ code: 'UNREACHABLE', executed: 'no' })
    expect(error.message).toContain(server.address)
  })

  test('a closing server lets calls finish, ends streams, and refuses what comes after', async () => {
    const { client, seen, server } = await started()
    const call = client.wait(0)
    const items = client.endless()[Symbol.asyncIterator]()
    await items.next()
    await expect.poll(() => seen.executed).toBe(1)
    const closing = server.close({ drainMs: 5000 })
    const readAll = async (): Promise<void> => {
      while ((await items.next()).done !== true);
    }
    expect(await failure(readAll())).toMatchObject({ code: 'CLOSED' })
    expect(await failure(client.hello({ name: 'x' }, { timeout: 100 }))).toMatchObject({ executed: 'no' })
    seen.release()
    expect(await call).toBe('waited')
    await closing
    expect(server.connections).toBe(0)
    expect(seen.executed).toBe(1)
  })

  test('a drain that takes too long ends the calls, as unknown', async () => {
    const { client, seen, server } = await started()
    const call = failure(client.wait(0))
    await expect.poll(() => seen.executed).toBe(1)
    await server.close({ drainMs: 50 })
    expect(await call).toMatchObject({ executed: 'unknown' })
    expect(seen.aborted).toHaveLength(1)
  })

  test('a link comes back when its server does; calls wait for it', async () => {
    const { server } = await start()
    const states: LinkState[] = []
    const link = openLink(server.address, {
      transport,
      reconnect: { minMs: 5, maxMs: 20 },
      onState: (state) => states.push(state),
    })
    opened.push(link)
    const mixedClient = link.client(Mixed)
    expect(await mixedClient.hello({ name: 'one' })).toBe('hello one')
    expect(link.state).toBe('up')
    expect(link.peer).toMatchObject({ role: 'peer' })
    await server.close({ drainMs: 0 })
    await expect.poll(() => link.state).not.toBe('up')
    const waiting = mixedClient.hello({ name: 'two' })
    await start({ listen: server.address })
    expect(await waiting).toBe('hello two')
    expect(states.slice(0, 2)).toEqual(['up', 'down'])
  })

  test('a call made while the link is down fails as not executed when its deadline passes', async () => {
    const { server } = await start()
    await server.close()
    const link = openLink(server.address, { transport, reconnect: { minMs: 5, maxMs: 20 } })
    opened.push(link)
    const error = await failure(link.client(Mixed).hello({ name: 'x' }, { timeout: 80 }))
    expect(error).toMatchObject({ code: 'UNREACHABLE', executed: 'no' })
    link.client(Mixed).note('dropped without a word')
  })

  test('a link that may not come back fails its calls at once', async () => {
    const { server } = await start()
    await server.close()
    const link = openLink(server.address, { transport, reconnect: false })
    opened.push(link)
    const first = await failure(link.client(Mixed).hello({ name: 'x' }))
    expect(first).toMatchObject({ code: 'UNREACHABLE', executed: 'no' })
    expect(await failure(link.client(Mixed).hello({ name: 'x' }))).toMatchObject({ executed: 'no' })
  })

  test('of several addresses a link finds one that answers', async () => {
    const { server: gone } = await start()
    const { server } = await start()
    await gone.close()
    const made = await connect(Mixed, [gone.address, server.address], { transport })
    opened.push(made)
    expect(await made.hello({ name: 'Ada' })).toBe('hello Ada')
  })

  test('a link takes new addresses while it is down', async () => {
    const { server: gone } = await start()
    await gone.close()
    const { server } = await start()
    const link = openLink(gone.address, { transport, reconnect: { minMs: 2000, maxMs: 2000 } })
    opened.push(link)
    await expect.poll(() => link.state).toBe('down')
    link.setAddresses(server.address)
    await link.ready({ timeout: 1000 })
    expect(link.state).toBe('up')
  })

  test('a closed link fails everything with CLOSED, not executed', async () => {
    const { server } = await start()
    const link = openLink(server.address, { transport })
    await link.ready()
    link.close()
    expect(link.state).toBe('down')
    expect(await failure(link.client(Mixed).hello({ name: 'x' }))).toMatchObject({
      code: 'CLOSED',
      executed: 'no',
    })
    expect(await failure(link.ready({ timeout: 50 }))).toBeInstanceOf(RpcError)
  })
})

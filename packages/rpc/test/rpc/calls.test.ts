import { describe, expect, test } from 'vitest'
import { connect, implement, service, stream, unary } from '../../src/index.ts'
import { Harness, closing, failure, transports } from './harness.ts'
import { mixed } from './mixed.ts'

describe.each(Object.keys(transports))('over %s', (name) => {
  const h = new Harness(name)

  test('a unary call gives what the handler gave: JSON, bytes, or nothing', async () => {
    const { client } = await h.started()
    expect(await client.hello({ name: 'Ada' })).toBe('hello Ada')
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i)
    expect(Buffer.compare(await client.echo(bytes), bytes)).toBe(0)
    expect(await client.echo(new Uint8Array(0))).toHaveLength(0)
    await expect(client.nothing()).resolves.toBeUndefined()
  })

  test('thousands of calls in flight each get their own reply', async () => {
    const { client, server } = await h.started()
    const names = Array.from({ length: 5000 }, (_, i) => `n${String(i)}`)
    const replies = await Promise.all(names.map((name) => client.hello({ name })))
    expect(replies).toEqual(names.map((name) => `hello ${name}`))
    expect(server.metrics().calls).toBe(5000)
    expect(server.metrics().inFlight).toBe(0)
  })

  test('what a handler throws reaches the caller with its code and details, as executed', async () => {
    const { client } = await h.started()
    const error = await failure(client.fail('not now'))
    expect(error).toMatchObject({ code: 'HANDLER_FAILED', executed: 'yes', remoteCode: 'NOT_TODAY' })
    expect(error.message).toContain('not now')
    expect(error.details).toEqual({ until: 'tomorrow' })
  })

  test('values that JSON would change are refused at both ends, with their path', async () => {
    const { client } = await h.started()
    const error = await failure(client.hello({ name: undefined as unknown as string }))
    expect(error).toMatchObject({ code: 'BAD_REQUEST', executed: 'no' })
    expect(error.message).toContain('at name')
    const reply = await failure(client.odd())
    expect(reply).toMatchObject({ code: 'HANDLER_FAILED', executed: 'yes' })
    expect(reply.message).toContain('at when')
  })

  test('a call that takes too long fails with TIMEOUT, unknown, and its handler learns it', async () => {
    const { client, seen } = await h.started()
    const before = performance.now()
    const error = await failure(client.wait(0, { timeout: 60 }))
    expect(error).toMatchObject({ code: 'TIMEOUT', executed: 'unknown' })
    expect(performance.now() - before).toBeGreaterThanOrEqual(59)
    await expect.poll(() => seen.aborted.length).toBe(1)
  })

  test('the deadline travels: the handler sees it, and its signal aborts by it', async () => {
    const { client } = await h.started()
    expect(await client.context(undefined, { timeout: 1000 })).toMatchObject({ hasDeadline: true })
    expect(await client.context(undefined, { timeout: Infinity })).toMatchObject({ hasDeadline: false })
  })

  test('a cancelled call fails with CANCELLED and its handler is told', async () => {
    const { client, seen } = await h.started()
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
    const { client, seen } = await h.started()
    const call = failure(client.wait(0))
    await expect.poll(() => seen.executed).toBe(1)
    client.close()
    expect(await call).toMatchObject({ code: 'CLOSED', executed: 'unknown' })
    await expect.poll(() => seen.aborted).toEqual(['CLOSED'])
  })

  test('notifications arrive in order; one whose handler throws harms nothing', async () => {
    const { client, server } = await h.started()
    for (const text of ['one', 'bad', 'two']) client.note(text)
    expect(await client.notes()).toEqual(['one', 'two'])
    expect(server.metrics()).toMatchObject({ notifications: 3, failures: 1 })
  })

  test('a method that the server does not have fails with NO_SUCH_METHOD, not executed', async () => {
    const { server } = await h.start()
    const Other = service('other', { hello: unary<string, string>(), more: stream<string, string>() })
    const other = await connect(Other, server.address, { transport: h.transport })
    closing(other)
    expect(await failure(other.hello('x'))).toMatchObject({ code: 'NO_SUCH_METHOD', executed: 'no' })
    expect(await failure(other.more('x')[Symbol.asyncIterator]().next())).toMatchObject({
      code: 'NO_SUCH_METHOD',
    })
  })

  test('a service for peers answers peers only', async () => {
    const Inner = service('inner', { ask: unary<undefined, string>() })
    const { server } = await h.start()
    server.add(implement(Inner, { ask: () => 'told' }, { roles: ['peer'] }))
    const asPeer = await connect(Inner, server.address, {
      transport: h.transport,
      identity: { role: 'peer', nodeId: 'n2' },
    })
    const asClient = await connect(Inner, server.address, { transport: h.transport })
    closing(asPeer)
    closing(asClient)
    expect(await asPeer.ask()).toBe('told')
    expect(await failure(asClient.ask())).toMatchObject({ code: 'UNAUTHORISED', executed: 'no' })
  })

  test('two services of one name are refused, and one that was removed is gone', async () => {
    const { server, seen } = await h.start()
    const reader = await h.client(server)
    expect(() => {
      server.add(mixed(seen))
    }).toThrow('already')
    server.remove(mixed(seen))
    expect(await failure(reader.hello({ name: 'x' }))).toMatchObject({ code: 'NO_SUCH_METHOD' })
  })
})

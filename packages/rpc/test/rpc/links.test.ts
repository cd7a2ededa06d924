import { describe, expect, test } from 'vitest'
import { connect, openLink, RpcError, type LinkState } from '../../src/index.ts'
import { Harness, closing, failure, transports } from './harness.ts'
import { Mixed } from './mixed.ts'

describe.each(Object.keys(transports))('over %s', (name) => {
  const h = new Harness(name)

  test('connecting to nobody fails with UNREACHABLE in the given time', async () => {
    const { server } = await h.start()
    await server.close()
    const error = await failure(connect(Mixed, server.address, { transport: h.transport, timeout: 150 }))
    expect(error).toMatchObject({ code: 'UNREACHABLE', executed: 'no' })
    expect(error.message).toContain(server.address)
  })

  test('a closing server lets calls finish, ends streams, and refuses what comes after', async () => {
    const { client, seen, server } = await h.started()
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
    const { client, seen, server } = await h.started()
    const call = failure(client.wait(0))
    await expect.poll(() => seen.executed).toBe(1)
    await server.close({ drainMs: 50 })
    expect(await call).toMatchObject({ executed: 'unknown' })
    expect(seen.aborted).toHaveLength(1)
  })

  test('a link comes back when its server does; calls wait for it', async () => {
    const { server } = await h.start()
    const states: LinkState[] = []
    const link = openLink(server.address, {
      transport: h.transport,
      reconnect: { minMs: 5, maxMs: 20 },
      onState: (state) => states.push(state),
    })
    closing(link)
    const mixedClient = link.client(Mixed)
    expect(await mixedClient.hello({ name: 'one' })).toBe('hello one')
    expect(link.state).toBe('up')
    expect(link.peer).toMatchObject({ role: 'peer' })
    await server.close({ drainMs: 0 })
    await expect.poll(() => link.state).not.toBe('up')
    const waiting = mixedClient.hello({ name: 'two' })
    await h.start({ listen: server.address })
    expect(await waiting).toBe('hello two')
    expect(states.slice(0, 2)).toEqual(['up', 'down'])
  })

  test('a call made while the link is down fails as not executed when its deadline passes', async () => {
    const { server } = await h.start()
    await server.close()
    const link = openLink(server.address, { transport: h.transport, reconnect: { minMs: 5, maxMs: 20 } })
    closing(link)
    const error = await failure(link.client(Mixed).hello({ name: 'x' }, { timeout: 80 }))
    expect(error).toMatchObject({ code: 'UNREACHABLE', executed: 'no' })
    link.client(Mixed).note('dropped without a word')
  })

  test('a link that may not come back fails its calls at once', async () => {
    const { server } = await h.start()
    await server.close()
    const link = openLink(server.address, { transport: h.transport, reconnect: false })
    closing(link)
    const first = await failure(link.client(Mixed).hello({ name: 'x' }))
    expect(first).toMatchObject({ code: 'UNREACHABLE', executed: 'no' })
    expect(await failure(link.client(Mixed).hello({ name: 'x' }))).toMatchObject({ executed: 'no' })
  })

  test('of several addresses a link finds one that answers', async () => {
    const { server: gone } = await h.start()
    const { server } = await h.start()
    await gone.close()
    const made = await connect(Mixed, [gone.address, server.address], { transport: h.transport })
    closing(made)
    expect(await made.hello({ name: 'Ada' })).toBe('hello Ada')
  })

  test('a link takes new addresses while it is down', async () => {
    const { server: gone } = await h.start()
    await gone.close()
    const { server } = await h.start()
    const link = openLink(gone.address, { transport: h.transport, reconnect: { minMs: 2000, maxMs: 2000 } })
    closing(link)
    await expect.poll(() => link.state).toBe('down')
    link.setAddresses(server.address)
    await link.ready({ timeout: 1000 })
    expect(link.state).toBe('up')
  })

  test('a closed link fails everything with CLOSED, not executed', async () => {
    const { server } = await h.start()
    const link = openLink(server.address, { transport: h.transport })
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

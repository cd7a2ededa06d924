import { describe, expect, test } from 'vitest'
import { RaftError, type RaftClient } from '../../src/index.ts'
import type { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, errorOf, type Appender } from './appender.ts'
import { startChecked } from './checked-cluster.ts'

type Client = RaftClient<string, number, 'length' | 'all'>
const start = (
  seed = 1,
  options: Parameters<typeof startChecked<Appender>>[0] = {},
): Promise<RaftCluster<Appender>> => startChecked<Appender>({ seed, stateMachine: appender, ...options })

describe('a client that is no member', () => {
  test('finds the leader by hints, proposes and reads', async () => {
    const t = await start()
    const client: Client = await t.client()
    expect(await t.settle(client.propose('x'))).toBe(1)
    expect(await t.settle(client.read('length'))).toBe(1)
    const { index, term } = await t.settle(client.submit('y'))
    const leader = await t.leader()
    expect([index, term]).toEqual([leader.status().commitIndex, leader.status().term])
    await client.close()
    await t.close()
  })

  test('knowing only a follower, it learns of the leader by its hint', async () => {
    const t = await start(2)
    const leader = await t.leader()
    const client: Client = await t.client({ servers: [`memory://${t.except(leader)[0]!}`] })
    expect(await t.settle(client.propose('x'))).toBe(1)
    expect(t.network.counters('client1', leader.id).delivered).toBeGreaterThan(0)
    await t.close()
  })

  test('a reply that is lost costs time, not a second effect', async () => {
    const t = await start(3)
    const leader = await t.leader()
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    t.network.cut(leader.id, 'client1')
    const proposed = client.propose('once', { timeout: 30_000 })
    await t.advance(5000)
    expect(await leader.read((machine) => machine.state.items, { consistency: 'stale' })).toEqual([
      'first',
      'once',
    ])
    t.heal()
    expect(await t.settle(proposed)).toBe(2)
    expect(await t.settle(client.read('all'))).toEqual(['first', 'once'])
    await t.close()
  })

  test('with { attempts: 1 } a lost reply is unknown, and nothing is sent again', async () => {
    const t = await start(3)
    const leader = await t.leader()
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    t.network.cut(leader.id, 'client1')
    const before = leader.metrics().proposals
    const error = await t.settle(errorOf(client.propose('once', { attempts: 1, timeout: 3000 })))
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
    t.heal()
    await t.advance(3000)
    expect(leader.metrics().proposals - before).toBe(1)
    await t.close()
  })

  test('a leader that dies is left for the next; what was on its way counts once', async () => {
    const t = await start(4)
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    const leader = await t.leader()
    const calls = Array.from({ length: 50 }, (_, i) => client.propose(String(i)))
    await t.advance(2)
    await t.crash(leader.id)
    await t.settle(Promise.all(calls))
    const all = (await t.settle(client.read('all'))) as string[]
    expect(all).toHaveLength(51)
    expect(new Set(all).size).toBe(51)
    await t.close()
  })

  test('a leader that is silent, with no connection broken, is left as soon as another one leads', async () => {
    const t = await start(4)
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    const leader = await t.leader()
    t.isolate(leader.id)
    const begun = t.clock.now()
    const call = t.settle(client.propose('once'))
    const next = await t.leader({ among: t.except(leader) })
    expect(next.id).not.toBe(leader.id)
    const electedAt = t.clock.now()
    expect(await call).toBe(2)
    // Without asking the others it would have waited for its attempt's two seconds.
    expect(t.clock.now() - electedAt).toBeLessThan(200)
    expect(t.clock.now() - begun).toBeLessThan(1500)
    expect(await t.settle(client.read('all'))).toEqual(['first', 'once'])
    await t.close()
  })

  test('a leader that is slow and still leads is waited for, and nothing is sent again', async () => {
    const t = await start(4)
    const client: Client = await t.client()
    await t.settle(client.propose('first'))
    const leader = await t.leader()
    const before = [client.metrics().retried, leader.metrics().proposals]
    t.network.set({ latencyMs: [700, 700] }, { from: leader.id, to: 'client1' })
    expect(await t.settle(client.propose('once'))).toBe(2)
    expect([client.metrics().retried, leader.metrics().proposals - 1]).toEqual(before)
    await t.close()
  })

  test('what the machine threw comes with its code, and what it asked is refused', async () => {
    const t = await start(5)
    const client: Client = await t.client()
    expect(await t.settle(errorOf(client.propose('forbidden')))).toMatchObject({
      code: 'COMMAND_FAILED',
      remoteCode: 'FORBIDDEN',
    })
    await t.close()
  })

  test('a query that throws is told, and harms nobody', async () => {
    const t = await start(5, {
      stateMachine: () =>
        Object.assign(appender(), {
          query: () => {
            throw new Error('odd')
          },
        }),
    })
    const client: Client = await t.client()
    await t.settle(client.propose('x'))
    expect(await t.settle(errorOf(client.read('all')))).toMatchObject({
      code: 'COMMAND_FAILED',
      outcome: undefined,
      message: expect.stringContaining('odd') as string,
    })
    await t.close()
  })

  test('nobody there: connect rejects in time', async () => {
    const t = await start(6)
    const error = await errorOf(t.client({ servers: ['memory://nobody'], connectTimeout: 300 }))
    expect(error).toMatchObject({ code: 'UNAVAILABLE' })
    await t.close()
  })

  test('servers of another cluster refuse it', async () => {
    const t = await start(6)
    expect(await errorOf(t.client({ clusterId: 'other', connectTimeout: 300 }))).toMatchObject({
      code: 'WRONG_CLUSTER',
    })
    await t.close()
  })

  test('without a token that the cluster asks for it is refused', async () => {
    const t = await start(6, { options: { token: 'secret' } })
    expect(await errorOf(t.client({ connectTimeout: 300 }))).toMatchObject({ code: 'UNAUTHORISED' })
    const client: Client = await t.client({ token: 'secret' })
    expect(await t.settle(client.propose('x'))).toBe(1)
    await t.close()
  })

  test('status tells how each server sees itself', async () => {
    const t = await start(7)
    const leader = await t.leader()
    const client: Client = await t.client()
    await t.crash(t.except(leader)[0]!)
    await t.advance(100)
    const reports = await t.settle(client.status({ timeout: 200 }))
    expect(reports).toHaveLength(3)
    expect(reports.filter(({ status }) => status?.role === 'leader').map(({ status }) => status?.id)).toEqual(
      [leader.id],
    )
    expect(reports.filter(({ error }) => error instanceof RaftError)).toHaveLength(1)
    await t.close()
  })

  test('an expired session is an unknown outcome only when an earlier attempt may have been applied', async () => {
    const t = await start(8, { options: { limits: { sessionsMax: 2 } } })
    const leader = await t.leader()
    const client: Client = await t.client({ name: 'old' })
    await t.settle(client.propose('mine'))
    // Attempt one is applied, its reply lost; then two other clients push this one out of the table.
    t.network.cut(leader.id, 'old')
    const lost = errorOf(client.propose('lost reply', { timeout: 30_000 }))
    await t.advance(20)
    for (let i = 0; i < 2; i++) await t.settle((await t.client<string, number>()).propose(`other ${i}`))
    t.heal()
    expect(await t.settle(lost)).toMatchObject({ code: 'SESSION_EXPIRED', outcome: 'unknown' })
    expect(await t.settle(client.propose('goes on'))).toBe(5)
    await t.close()
  })

  test('close ends what waits with CLOSED', async () => {
    const t = await start(9)
    const client: Client = await t.client()
    await t.settle(client.propose('x'))
    for (const id of t.ids) await t.crash(id)
    const calls = [
      errorOf(client.propose('y')),
      errorOf(client.read('all')),
      errorOf(client.propose('z', { timeout: Infinity })),
    ]
    await t.advance(50)
    await client.close()
    for (const error of await t.settle(Promise.all(calls))) expect(error).toMatchObject({ code: 'CLOSED' })
    expect(await errorOf(client.propose('late'))).toMatchObject({ code: 'CLOSED', outcome: 'not-applied' })
  })
})

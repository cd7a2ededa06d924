/** Reads on every member and from clients: ReadIndex, leases, stale ones, one's own writes (thesis §6.4). */
import { describe, expect, test } from 'vitest'
import type { RaftClient } from '../../src/index.ts'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, errorOf, type Appender } from './appender.ts'

type Client = RaftClient<string, number, 'length' | 'all'>
const start = (leases?: boolean, seed = 5): Promise<RaftCluster<Appender>> =>
  RaftCluster.start<Appender>({
    seed,
    stateMachine: appender,
    options: leases === undefined ? {} : { leases },
  })
const length = (machine: Appender): number => machine.state.items.length

describe('a linearizable read (thesis §6.4)', () => {
  test('on a follower sees what was acknowledged elsewhere, and writes nothing to the log', async () => {
    const t = await start()
    const leader = await t.leader()
    const follower = t.node(t.except(leader)[0]!)
    await t.settle(leader.propose('x'))
    const { lastIndex } = leader.status()
    expect(await t.settle(follower.read(length))).toBe(1)
    expect(leader.status().lastIndex).toBe(lastIndex)
    await t.close()
  })

  test('costs a follower one question a turn, however many there are', async () => {
    const t = await start()
    const leader = await t.leader()
    const [id = ''] = t.except(leader)
    await t.settle(t.node(id).read(length))
    const before = t.network.counters(id, leader.id).delivered
    await t.settle(Promise.all(Array.from({ length: 500 }, () => t.node(id).read(length))))
    // The question, and an answer or two to heartbeats.
    expect(t.network.counters(id, leader.id).delivered - before).toBeLessThan(5)
    await t.close()
  })

  test('at a leader that was cut off ends in TIMEOUT, never in an old value', async () => {
    const t = await start()
    const old = await t.leader()
    t.isolate(old.id)
    const read = errorOf(old.read(length, { timeout: 3000 }))
    await t.settle((await t.leader({ among: t.except(old) })).propose('newer'))
    expect(await t.settle(read)).toMatchObject({ code: 'TIMEOUT' })
    await t.close()
  })
})

describe('a stale read', () => {
  test('at a server that still reads its snapshot back waits for it, and never sees the empty machine', async () => {
    let slow: Promise<void> | null = null
    const machine = (): Appender => {
      const made = appender()
      const restore = made.restore?.bind(made)
      return Object.assign(made, {
        restore: async (chunks: AsyncIterable<Uint8Array>) => {
          await slow
          await restore?.(chunks)
        },
      })
    }
    const t = await RaftCluster.start<Appender>({
      seed: 8,
      stateMachine: machine,
      options: { snapshotEveryBytes: 1000 },
    })
    const leader = await t.leader()
    for (let i = 0; i < 60; i++) await t.settle(leader.propose(`item ${i}`))
    const [id = ''] = t.except(leader)
    await t.until(() => t.node(id).metrics().snapshotsTaken > 0)
    await t.crash(id)
    let restored: () => void = () => undefined
    slow = new Promise((resolve) => {
      restored = resolve
    })
    const restarting = t.restart(id)
    const client: Client = await t.client({ servers: [`memory://${id}`] })
    const read = client.read('length', { consistency: 'stale', timeout: 20_000 })
    let answer: number | readonly string[] | null = null
    void read.then((length) => (answer = length as number))
    await t.advance(3000)
    expect(answer).toBeNull()
    restored()
    expect(await t.settle(read)).toBeGreaterThan(0)
    await t.settle(restarting)
    await t.close()
  })
})

describe('a lease read (thesis §6.4.1)', () => {
  test('is refused where leases are off, on every server and to clients, with what to do', async () => {
    const t = await start()
    await t.leader()
    for (const node of t.nodes) {
      await t.settle(node.ready())
      const error = await t.settle(errorOf(node.read(length, { consistency: 'lease' })))
      expect(error).toMatchObject({
        code: 'LEASES_OFF',
        message: expect.stringContaining('linearizable') as string,
      })
    }
    const client: Client = await t.client()
    const refused = errorOf(client.read('length', { consistency: 'lease' }))
    expect(await t.settle(refused)).toMatchObject({ code: 'LEASES_OFF' })
    await t.close()
  })

  test('is answered by the leader at once, without a message or a moment of time', async () => {
    const t = await start(true)
    const leader = await t.leader()
    await t.settle(leader.propose('x'))
    const now = t.clock.now()
    const sent = leader.metrics().messagesSent
    expect(await leader.read(length, { consistency: 'lease' })).toBe(1)
    expect(t.clock.now()).toBe(now)
    expect(leader.metrics().messagesSent).toBe(sent)
    await t.close()
  })

  test('sees what was acknowledged elsewhere, from every server and for clients', async () => {
    const t = await start(true)
    const leader = await t.leader()
    const client: Client = await t.client()
    for (let i = 1; i <= 5; i++) {
      await t.settle(client.propose(String(i)))
      for (const node of t.nodes) expect(await t.settle(node.read(length, { consistency: 'lease' }))).toBe(i)
      for (const from of ['leader', 'any'] as const)
        expect(await t.settle(client.read('length', { consistency: 'lease', from }))).toBe(i)
    }
    expect(leader.status().role).toBe('leader')
    await t.close()
  })

  test('at a leader that was cut off is answered for as long as nobody else can lead, and not after', async () => {
    const t = await start(true)
    const old = await t.leader()
    await t.settle(old.propose('kept'))
    t.isolate(old.id)
    expect(await t.settle(old.read(length, { consistency: 'lease' }))).toBe(1)
    const elected = (): boolean => t.nodes.some((node) => node !== old && node.status().role === 'leader')
    let heldFor = 0
    while (!elected()) {
      await t.advance(5)
      let held = false
      old.read(length, { consistency: 'lease', timeout: 1 }).then(
        () => (held = true),
        () => undefined,
      )
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      expect(held && heldFor === Infinity, 'a lease that ended stays ended').toBe(false)
      heldFor = held ? heldFor + 5 : Infinity
    }
    expect(heldFor, 'it ended before anybody else led').toBe(Infinity)
    await t.settle((await t.leader({ among: t.except(old) })).propose('newer'))
    await t.close()
  })

  test('says in words when the options differ from what the log holds', async () => {
    let leases = true
    const t = await RaftCluster.start<Appender>({ stateMachine: appender, options: () => ({ leases }) })
    await t.leader()
    await t.advance(500)
    await t.crash('n1')
    leases = false
    const again = await t.restart('n1')
    expect(again.status().notes.join()).toMatch(/leases are on/)
    await t.close()
  })
})

describe('reads of one’s own writes', () => {
  test('a stale read with the index that submit returned waits for it, on any server', async () => {
    const t = await start()
    const leader = await t.leader()
    const follower = t.node(t.except(leader)[0]!)
    t.isolate(follower.id)
    const { index } = await t.settle(leader.submit('mine'))
    const read = follower.read(length, { consistency: 'stale', atLeast: index })
    await t.advance(300)
    expect(await follower.read(length, { consistency: 'stale' })).toBe(0)
    t.heal()
    expect(await t.settle(read)).toBe(1)
    await t.settle(follower.waitApplied(index))
    await t.close()
  })

  test('a client reads its own writes from all servers in turn, though no leader is asked', async () => {
    const t = await start()
    const leader = await t.leader()
    const client: Client = await t.client()
    for (let i = 1; i <= 6; i++) {
      const { index } = await t.settle(client.submit(String(i)))
      const read = client.read('length', { consistency: 'stale', atLeast: index })
      expect(await t.settle(read)).toBe(i)
    }
    for (const id of t.except(leader)) expect(t.network.counters(id, 'client1').delivered).toBeGreaterThan(1)
    await t.close()
  })

  test('what is no consistency or no index is refused by name', async () => {
    const t = await start()
    const [node] = t.nodes
    const bad = errorOf(node!.read(length, { consistency: 'eventual' as 'stale' }))
    expect(await bad).toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('eventual') as string,
    })
    expect(await errorOf(node!.read(length, { atLeast: -1 }))).toMatchObject({ code: 'BAD_REQUEST' })
    await t.close()
  })
})

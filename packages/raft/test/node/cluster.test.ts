import { describe, expect, test } from 'vitest'
import { RaftError, type RaftNode } from '../../src/index.ts'
import type { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, errorOf, type Appender } from './appender.ts'
import { startChecked } from './checked-cluster.ts'

type Cluster = RaftCluster<Appender>
const start = (seed = 1, options: Parameters<typeof startChecked<Appender>>[0] = {}): Promise<Cluster> =>
  startChecked<Appender>({ seed, stateMachine: appender, ...options })

const items = (node: RaftNode<Appender>): Promise<string[]> =>
  node.read((machine) => [...machine.state.items], { consistency: 'stale' })

async function expectSame(t: Cluster, expected: readonly string[]): Promise<void> {
  for (const node of t.nodes) {
    await t.settle(node.readBarrier())
    expect(await items(node)).toEqual(expected)
  }
}

describe('a cluster in virtual time', () => {
  test('proposing works on every node: followers forward, one hop', async () => {
    const t = await start()
    await t.settle(Promise.all(t.nodes.map((node) => node.ready())))
    const results = []
    for (const id of t.ids) results.push(await t.settle(t.node(id).propose(id)))
    expect(results).toEqual([1, 2, 3])
    await expectSame(t, ['n1', 'n2', 'n3'])
    await t.close()
  })

  test('submit tells where the command stands, and waitApplied makes it a token for other nodes', async () => {
    const t = await start()
    const leader = await t.leader()
    const { result, index, term } = await t.settle(leader.submit('x'))
    expect(result).toBe(1)
    expect(term).toBe(leader.status().term)
    const other = t.node(t.except(leader)[0]!)
    await t.settle(other.waitApplied(index))
    expect(await items(other)).toEqual(['x'])
    await t.close()
  })

  test('a crashed leader is replaced, and a command on its way then counts once', async () => {
    const t = await start(3)
    const old = await t.leader()
    const other = t.node(t.except(old)[0]!)
    await t.settle(other.propose('before'))
    const proposals = Array.from({ length: 20 }, (_, i) => other.propose(`during ${i}`))
    await t.advance(1)
    await t.crash(old.id)
    await t.settle(Promise.all(proposals))
    await t.restart(old.id)
    const all = await t.settle(other.read((machine) => [...machine.state.items]))
    expect([...all].sort()).toEqual(['before', ...Array.from({ length: 20 }, (_, i) => `during ${i}`)].sort())
    await expectSame(t, all)
    await t.close()
  })

  test('all servers crash and come back with everything acknowledged', async () => {
    const t = await start(4)
    const leader = await t.leader()
    for (let i = 0; i < 5; i++) await t.settle(leader.propose(`item ${i}`))
    for (const id of t.ids) await t.crash(id)
    for (const id of t.ids) await t.restart(id)
    await expectSame(t, ['item 0', 'item 1', 'item 2', 'item 3', 'item 4'])
    await t.close()
  })

  test('a one-node cluster works and is as durable (trap 3)', async () => {
    const t = await start(1, { servers: 1 })
    await t.settle(t.node('n1').propose('kept'))
    await t.crash('n1')
    const again = await t.restart('n1')
    expect(await t.settle(again.read((machine) => machine.state.items))).toEqual(['kept'])
    await t.close()
  })

  test('what apply throws is the command’s error on every replica, and nobody stops', async () => {
    const t = await start()
    const leader = await t.leader()
    const error = await t.settle(errorOf(leader.propose('forbidden')))
    expect(error).toMatchObject({ code: 'COMMAND_FAILED', remoteCode: 'FORBIDDEN', outcome: 'not-applied' })
    await t.settle(leader.propose('fine'))
    await expectSame(t, ['fine'])
    await t.close()
  })

  test('a command that JSON would change is refused with its path, and never sent', async () => {
    const t = await start()
    const leader = await t.leader()
    const error = await t.settle(errorOf(leader.propose({ when: new Date(0) } as unknown as string)))
    expect(error).toMatchObject({
      code: 'BAD_REQUEST',
      outcome: 'not-applied',
      message: expect.stringContaining('when') as string,
    })
    await t.close()
  })
})

describe('outcomes: applied, not applied, unknown', () => {
  test('a stranded command of a leader cut off is unknown with attempts: 1, and is not in the log after healing', async () => {
    const t = await start(7)
    const old = await t.leader()
    t.isolate(old.id)
    const stranded = errorOf(old.propose('stranded', { attempts: 1 }))
    const leader = await t.leader({ among: t.except(old) })
    await t.settle(leader.propose('kept'))
    expect(await t.settle(stranded)).toMatchObject({ code: 'LEADERSHIP_LOST', outcome: 'unknown' })
    t.heal()
    await expectSame(t, ['kept'])
    await t.close()
  })

  test('the same in a session is applied once after healing', async () => {
    const t = await start(7)
    const old = await t.leader()
    await t.settle(old.propose('first'))
    t.isolate(old.id)
    const stranded = old.propose('patient', { timeout: 20_000 })
    await t.leader({ among: t.except(old) })
    await t.advance(2000)
    t.heal()
    expect(await t.settle(stranded)).toBe(2)
    await expectSame(t, ['first', 'patient'])
    await t.close()
  })

  test('without a majority a command times out as unknown once a leader had it', async () => {
    const t = await start(2)
    const leader = await t.leader()
    await t.settle(leader.propose('first'))
    for (const id of t.except(leader)) await t.crash(id)
    const error = await t.settle(errorOf(leader.propose('lonely', { timeout: 1500 })))
    expect(error).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
    await t.close()
  })

  test('with attempts: 1 and nobody leading, NOT_LEADER at once: certainly not applied', async () => {
    const t = await start(2)
    const leader = await t.leader()
    const rest = t.except(leader)
    await t.crash(leader.id)
    await t.crash(rest[0]!)
    const last = t.node(rest[1]!)
    await t.until(() => last.status().leader === null)
    expect(await t.settle(errorOf(last.propose('x', { attempts: 1 })))).toMatchObject({
      code: 'NOT_LEADER',
      outcome: 'not-applied',
    })
    await t.close()
  })

  test('too many proposals are refused with BUSY, retried in a session, and all arrive', async () => {
    const t = await start(1, { servers: 1, options: { limits: { proposalsMax: 4 } } })
    const leader = await t.leader()
    await t.settle(leader.propose('first'))
    const once = Array.from({ length: 20 }, () => errorOf(leader.propose('once', { attempts: 1 })))
    const errors = await t.settle(Promise.all(once))
    expect(errors.filter((error) => error === null)).toHaveLength(4)
    for (const error of errors.filter((e) => e !== null))
      expect(error).toMatchObject({ code: 'BUSY', outcome: 'not-applied' })
    await t.settle(Promise.all(Array.from({ length: 20 }, () => leader.propose('again'))))
    expect(leader.status().appliedIndex).toBeGreaterThan(20)
    expect(await items(leader)).toHaveLength(1 + 4 + 20)
    await t.close()
  })

  test('a command over the limit is refused before it is sent', async () => {
    const t = await start(1, { servers: 1, options: { limits: { commandBytesMax: 100 } } })
    const error = await t.settle(errorOf(t.node('n1').propose('x'.repeat(200))))
    expect(error).toMatchObject({ code: 'TOO_LARGE', outcome: 'not-applied' })
    await t.close()
  })

  test('close ends everything that waits, and hangs nothing', async () => {
    const t = await start(5)
    const leader = await t.leader()
    const follower = t.node(t.except(leader)[0]!)
    for (const id of t.except(leader, follower)) await t.crash(id)
    await t.crash(leader.id)
    const calls = [
      follower.propose('x'),
      follower.propose('y', { timeout: Infinity }),
      follower.read((machine) => machine.state.items),
      follower.readBarrier({ timeout: Infinity }),
      follower.waitApplied(1e6, { timeout: Infinity }),
      follower.ready({ timeout: Infinity }),
    ].map(errorOf)
    await t.advance(50)
    const closed = follower.close()
    for (const error of await t.settle(Promise.all(calls))) {
      expect(error).toBeInstanceOf(RaftError)
      expect((error as RaftError).code).toBe('CLOSED')
    }
    await t.settle(closed)
    expect(await t.settle(errorOf(follower.propose('late')))).toMatchObject({
      code: 'CLOSED',
      outcome: 'not-applied',
    })
    await t.close()
  })

  test('a signal calls off a call that waits', async () => {
    const t = await start(5)
    const leader = await t.leader()
    for (const id of t.except(leader)) await t.crash(id)
    const controller = new AbortController()
    const calls = [
      leader.propose('x', { signal: controller.signal }),
      leader.read(() => 1, { signal: controller.signal }),
      leader.waitApplied(1e6, { signal: controller.signal }),
    ].map(errorOf)
    await t.advance(20)
    controller.abort()
    for (const error of await t.settle(Promise.all(calls))) expect(error).toMatchObject({ code: 'CANCELLED' })
    await t.close()
  })
})

describe('linearizable reads (thesis §6.4)', () => {
  test('every node sees what was acknowledged anywhere, and a leader cut off answers nothing', async () => {
    const t = await start(11)
    const old = await t.leader()
    await t.settle(old.propose('one'))
    for (const node of t.nodes)
      expect(await t.settle(node.read((machine) => machine.state.items.length))).toBe(1)
    t.isolate(old.id)
    const leader = await t.leader({ among: t.except(old) })
    await t.settle(leader.propose('two'))
    for (const id of t.except(old))
      expect(await t.settle(t.node(id).read((machine) => machine.state.items.length))).toBe(2)
    expect(
      await t.settle(errorOf(old.read((machine) => machine.state.items.length, { timeout: 1000 }))),
    ).toMatchObject({
      code: 'TIMEOUT',
    })
    expect(await old.read((machine) => machine.state.items.length, { consistency: 'stale' })).toBe(1)
    t.heal()
    expect(await t.settle(old.read((machine) => machine.state.items.length))).toBe(2)
    await t.close()
  })

  test('a thousand reads of one turn cost one question, and no log entry', async () => {
    const t = await start(12)
    const leader = await t.leader()
    await t.settle(leader.propose('x'))
    const follower = t.node(t.except(leader)[0]!)
    await t.settle(follower.readBarrier())
    const before = { last: leader.status().lastIndex, sent: t.network.counters(follower.id, leader.id).sent }
    await t.settle(
      Promise.all(Array.from({ length: 1000 }, () => follower.read((machine) => machine.state.items.length))),
    )
    expect(leader.status().lastIndex).toBe(before.last)
    expect(t.network.counters(follower.id, leader.id).sent - before.sent).toBeLessThan(10)
    await t.close()
  })
})

describe('equal seeds', () => {
  async function run(seed: number): Promise<string> {
    const t = await start(seed)
    const leader = await t.leader()
    const proposals = Array.from({ length: 30 }, (_, i) => errorOf(t.node(t.ids[i % 3]!).propose(String(i))))
    await t.advance(3)
    await t.crash(leader.id)
    const rest = t.except(leader)
    await t.settle(Promise.all(proposals))
    await t.restart(leader.id)
    await t.settle(t.node(rest[0]!).propose('end'))
    await t.close()
    return t.trace.map((event) => JSON.stringify(event)).join('\n')
  }

  test('give equal traces, to the byte', async () => {
    const first = await run(42)
    expect(first.split('\n').length).toBeGreaterThan(200)
    expect(await run(42)).toBe(first)
    expect(await run(43)).not.toBe(first)
  })
})

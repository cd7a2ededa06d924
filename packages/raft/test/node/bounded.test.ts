/** Memory stays flat and the others go on, whoever is cut off, slow or stuck: counted in bytes. */
import { describe, expect, test } from 'vitest'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { DriverNet } from './driver-net.ts'
import { appender, errorOf, type Appender } from './appender.ts'

const KIB = 1024
const ITEM = 'x'.repeat(1000)

describe('a leader cut off under load', () => {
  const LIMITS = {
    proposalBytesMax: 64 * KIB,
    uncommittedBytesMax: 64 * KIB,
    cacheBytesMax: 32 * KIB,
    inflightBytesMax: 32 * KIB,
    appendBytesMax: 16 * KIB,
  }

  test('refuses, keeps no more than its limits, and lets go of what it appended when it follows again', async () => {
    const t = await RaftCluster.start<Appender>({
      seed: 3,
      stateMachine: appender,
      options: { limits: LIMITS },
    })
    const old = await t.leader()
    t.isolate(old.id)
    const codes = new Map<string, number>()
    let waiting = 0
    let most = 0
    for (let round = 0; round < 300; round++) {
      for (let i = 0; i < 10; i++) {
        waiting++
        void errorOf(old.propose(ITEM, { timeout: 2000 })).then((error) => {
          waiting--
          const { code, outcome } = (error ?? { code: 'OK', outcome: 'applied' }) as {
            code: string
            outcome: string
          }
          codes.set(`${code} ${outcome}`, (codes.get(`${code} ${outcome}`) ?? 0) + 1)
        })
      }
      await t.advance(10)
      const { logBytes, pendingProposalBytes } = old.metrics()
      most = Math.max(most, logBytes + pendingProposalBytes)
      // Each takes its command and half a kilobyte.
      expect(waiting * (ITEM.length + 512)).toBeLessThanOrEqual(LIMITS.proposalBytesMax + 2 * KIB)
    }
    expect(most).toBeLessThan(LIMITS.uncommittedBytesMax + LIMITS.proposalBytesMax + LIMITS.cacheBytesMax)
    expect(codes.get('BUSY not-applied')).toBeGreaterThan(1000)
    expect(old.metrics().uncommittedBytes).toBe(0)
    t.heal()
    await t.advance(2000)
    expect(old.metrics().logBytes).toBeLessThanOrEqual(LIMITS.cacheBytesMax)
    await t.settle((await t.leader()).propose('and goes on'))
    await t.close()
  })
})

describe('a follower whose disk is stuck', () => {
  test('keeps nobody waiting and takes no more of the leader’s memory than its window', async () => {
    const net = new DriverNet(['n1', 'n2', 'n3'])
    await net.startAll()
    const leader = await net.leader()
    const slow = net.all.find((member) => member !== leader)!
    net.stuck.add(slow.id)
    let slowest = 0
    for (let i = 0; i < 200; i++) {
      const before = net.clock.now()
      await net.clock.settle(net.propose(leader, ITEM))
      slowest = Math.max(slowest, net.clock.now() - before)
    }
    expect(slowest).toBeLessThan(20)
    const { followers, role } = leader.driver.status
    expect(role).toBe('leader')
    expect(followers[slow.id]?.inflightBytes).toBeLessThan(200 * 2 * ITEM.length)
    net.stuck.clear()
    await net.clock.run(() => slow.machine.state.items.length === 200, { limitMs: 5000 })
  })
})

describe('a leader whose disk is stuck (hashicorp/raft #503)', () => {
  test('gives up its office within two election timeouts, is not elected again, and the others serve', async () => {
    const net = new DriverNet(['n1', 'n2', 'n3'])
    await net.startAll()
    const old = await net.leader()
    await net.clock.settle(net.propose(old, 'kept'))
    net.stuck.add(old.id)
    const stuckAt = net.clock.now()
    // The others store it: it is committed, though here it cannot be applied for now.
    const stranded = net.propose(old, 'in time')
    await net.clock.run(() => old.driver.status.role !== 'leader', { limitMs: 5000 })
    expect(net.clock.now() - stuckAt).toBeLessThan(2 * 400)
    const others = ['n1', 'n2', 'n3'].filter((id) => id !== old.id)
    await net.clock.settle(net.propose(await net.leader(others), 'goes on'))
    await net.clock.advance(5000)
    expect(old.driver.status.role).toBe('follower')
    expect(old.failures).toEqual([])
    net.stuck.clear()
    expect(await net.clock.settle(stranded)).toBe(2)
    await net.clock.run(() => old.machine.state.items.length === 3, { limitMs: 5000 })
    for (const { machine } of net.all) expect(machine.state.items).toEqual(['kept', 'in time', 'goes on'])
  })
})

describe('disks that are slow together, as where machines share one', () => {
  test.each([
    ['all', 3],
    ['both followers', 2],
  ])('%s stand still for three election timeouts under load: nobody loses office', async (_, count) => {
    const net = new DriverNet(['n1', 'n2', 'n3'])
    await net.startAll()
    const leader = await net.leader()
    const { currentTerm } = leader.driver.status
    const others = net.all.filter((member) => member !== leader)
    for (const { id } of [...others, leader].slice(0, count)) net.stuck.add(id)
    const proposed: Promise<number>[] = []
    // Never so long without entries that a heartbeat would be due.
    for (let i = 0; i < 120; i++) {
      proposed.push(net.propose(leader, ITEM))
      await net.clock.advance(10)
    }
    net.stuck.clear()
    await net.clock.settle(Promise.all(proposed))
    expect(leader.driver.status).toMatchObject({ role: 'leader', currentTerm })
  })
})

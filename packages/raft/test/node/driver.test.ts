import { describe, expect, test } from 'vitest'
import { RaftError } from '../../src/errors.ts'
import { DriverNet } from './driver-net.ts'

const NAMES = ['n1', 'n2', 'n3']
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

describe('the driver, without RPC', () => {
  test('a proposal is applied on all servers, with its result for who proposed', async () => {
    const net = new DriverNet(NAMES)
    await net.startAll()
    const leader = await net.leader()
    const results = await net.clock.settle(
      Promise.all(['a', 'b', 'c'].map((item) => net.propose(leader, item))),
    )
    expect(results).toEqual([1, 2, 3])
    await net.clock.advance(200)
    for (const { machine } of net.all) expect(machine.state.items).toEqual(['a', 'b', 'c'])
  })

  test('proposals of one turn share one write; those of the write after share the next', async () => {
    const net = new DriverNet(['n1'])
    await net.startAll()
    const leader = await net.leader()
    await net.clock.settle(net.propose(leader, 'first'))
    const before = leader.driver.counters.syncs
    await net.clock.settle(Promise.all(Array.from({ length: 50 }, (_, i) => net.propose(leader, String(i)))))
    expect(leader.driver.counters.syncs - before).toBe(1)
  })

  test('one server alone commits, and has it after a crash (trap 3)', async () => {
    const net = new DriverNet(['n1'])
    await net.startAll()
    await net.clock.settle(net.propose(await net.leader(), 'kept'))
    await net.crash('n1')
    const again = await net.start('n1')
    await net.leader()
    await net.clock.run(() => again.machine.state.items.length === 1)
    expect(again.machine.state.items).toEqual(['kept'])
  })

  test('a follower acknowledges what is on its disk, not what it has heard (thesis §10.2.1, trap 3)', async () => {
    const net = new DriverNet(NAMES)
    for (const id of ['n1', 'n2', 'n3']) net.syncMs.set(id, [80, 80])
    await net.startAll()
    const leader = await net.leader()
    await net.clock.settle(net.propose(leader, 'first'))
    const before = net.clock.now()
    await net.clock.settle(net.propose(leader, 'second'))
    // The leader's write and the followers' overlap, but none of them is left out.
    expect(net.clock.now() - before).toBeGreaterThanOrEqual(80)
    expect(net.clock.now() - before).toBeLessThan(160)
    const others = net.all.filter((member) => member !== leader)
    await net.clock.advance(300) // All disks are at rest: the next entry is written when it is heard.
    const heard = net.clock.now()
    const { lastIndex } = leader.driver.status
    void net.propose(leader, 'third').catch(() => undefined)
    await net.clock.run(() => others.every(({ driver }) => driver.status.lastIndex > lastIndex))
    expect(net.clock.now() - heard).toBeLessThan(20)
    await Promise.all(others.map(({ id }) => net.crash(id)))
    await net.clock.advance(300)
    expect(leader.machine.state.items).toEqual(['first', 'second'])
  })

  test('a follower refuses proposals and reads: nothing was appended', async () => {
    const net = new DriverNet(NAMES)
    await net.startAll()
    const leader = await net.leader()
    const follower = net.all.find((member) => member !== leader)!
    expect(await net.clock.settle(errorOf(net.propose(follower, 'x')))).toMatchObject({
      code: 'NOT_LEADER',
      outcome: 'not-applied',
    })
    expect(await net.clock.settle(errorOf(follower.driver.readIndex()))).toMatchObject({ code: 'NOT_LEADER' })
  })

  test('a leader cut off fails its proposals as unknown when it steps down (§5.3)', async () => {
    const net = new DriverNet(NAMES)
    await net.startAll()
    const old = await net.leader()
    await net.clock.settle(net.propose(old, 'kept'))
    net.cut.add(old.id)
    const stranded = errorOf(net.propose(old, 'lost'))
    const rest = NAMES.filter((id) => id !== old.id)
    await net.clock.settle(net.propose(await net.leader(rest), 'other'))
    expect(await net.clock.settle(stranded)).toMatchObject({ code: 'LEADERSHIP_LOST', outcome: 'unknown' })
    net.cut.clear()
    await net.clock.advance(1000)
    for (const { machine } of net.all) expect(machine.state.items).toEqual(['kept', 'other'])
  })

  test('too many proposals are refused with BUSY, and nothing of them is applied', async () => {
    const net = new DriverNet(['n1'], { proposalsMax: 4 })
    await net.startAll()
    const leader = await net.leader()
    const all = Array.from({ length: 6 }, (_, i) => errorOf(net.propose(leader, String(i))))
    const errors = await net.clock.settle(Promise.all(all))
    expect(errors.slice(0, 4)).toEqual([null, null, null, null])
    for (const error of errors.slice(4)) expect(error).toMatchObject({ code: 'BUSY', outcome: 'not-applied' })
    expect(leader.machine.state.items).toEqual(['0', '1', '2', '3'])
  })

  test('a failed write stops the server for good: what it had appended is unknown, nothing is acknowledged', async () => {
    const net = new DriverNet(['n1'])
    await net.startAll()
    const leader = await net.leader()
    await net.clock.settle(net.propose(leader, 'kept'))
    const stranded = errorOf(net.propose(leader, 'lost'))
    await Promise.resolve().then(() => leader.storage.crash())
    expect(await net.clock.settle(stranded)).toMatchObject({ code: 'CLOSED', outcome: 'unknown' })
    expect(leader.failures).toMatchObject([{ code: 'STORAGE_FAILED' }])
    expect(await errorOf(net.propose(leader, 'x'))).toBeInstanceOf(RaftError)
  })
})

describe('snapshots (§7)', () => {
  test('are made as the log grows, and a restart begins with the newest one', async () => {
    const net = new DriverNet(['n1'], { snapshotEveryBytes: 1000 })
    await net.startAll()
    const leader = await net.leader()
    for (let i = 0; i < 60; i++) await net.clock.settle(net.propose(leader, `item ${i}`))
    expect(leader.driver.counters.snapshotsTaken).toBeGreaterThanOrEqual(2)
    expect(leader.driver.status.snapshotIndex).toBeGreaterThan(30)
    await net.crash('n1')
    const again = await net.start('n1')
    expect(again.machine.state.items.length).toBeGreaterThan(30)
    await net.leader()
    await net.clock.run(() => again.machine.state.items.length === 60)
    expect(again.machine.state.items).toEqual(Array.from({ length: 60 }, (_, i) => `item ${i}`))
  })

  test('of a large state wait for a quarter as much log, after a restart too', async () => {
    const net = new DriverNet(['n1'], { snapshotEveryBytes: 1000 })
    await net.startAll()
    const leader = await net.leader()
    const propose = (member: typeof leader, item: string): Promise<unknown> =>
      net.clock.settle(net.propose(member, item.padEnd(400)))
    for (let i = 0; i < 200; i++) await propose(leader, String(i))
    // 80 times the bytes that make the first ones due, which grow by a quarter then.
    expect(leader.driver.counters.snapshotsTaken).toBeGreaterThanOrEqual(10)
    expect(leader.driver.counters.snapshotsTaken).toBeLessThanOrEqual(22)
    await net.clock.settle(leader.driver.snapshot())
    await net.crash('n1')
    const again = await net.start('n1')
    await net.leader()
    for (let i = 0; i < 20; i++) await propose(again, `after ${i}`)
    expect(again.driver.counters.snapshotsTaken).toBe(0)
    for (let i = 0; i < 60; i++) await propose(again, `later ${i}`)
    expect(again.driver.counters.snapshotsTaken).toBeGreaterThan(0)
  })

  test('bring a follower back that was away for longer than the log reaches', async () => {
    const net = new DriverNet(NAMES, { snapshotEveryBytes: 1000 })
    await net.startAll()
    const leader = await net.leader()
    const slow = net.all.find((member) => member !== leader)!
    net.cut.add(slow.id)
    for (let i = 0; i < 80; i++) await net.clock.settle(net.propose(leader, `item ${i}`))
    expect(slow.machine.state.items).toHaveLength(0)
    net.cut.clear()
    await net.clock.run(() => slow.machine.state.items.length === 80, { limitMs: 5000 })
    expect(slow.machine.state.items).toEqual(leader.machine.state.items)
    expect(slow.driver.status.snapshotIndex).toBeGreaterThan(0)
    await net.clock.settle(net.propose(leader, 'after'))
    await net.clock.run(() => slow.machine.state.items.length === 81)
  })

  test('a follower restored from a snapshot survives a crash with it', async () => {
    const net = new DriverNet(NAMES, { snapshotEveryBytes: 1000 })
    await net.startAll()
    const leader = await net.leader()
    const slow = net.all.find((member) => member !== leader)!.id
    net.cut.add(slow)
    for (let i = 0; i < 80; i++) await net.clock.settle(net.propose(leader, `item ${i}`))
    net.cut.clear()
    await net.clock.run(() => net.member(slow).machine.state.items.length === 80, { limitMs: 5000 })
    await net.crash(slow)
    const again = await net.start(slow)
    await net.clock.run(() => again.machine.state.items.length === 80, { limitMs: 5000 })
  })
  test('what a leader sends while the snapshot is still being restored is applied after it', async () => {
    const net = new DriverNet(NAMES, { snapshotEveryBytes: 1000 })
    await net.startAll()
    const leader = await net.leader()
    const other = net.all.find((member) => member !== leader)!.id
    for (let i = 0; i < 40; i++) await net.clock.settle(net.propose(leader, `item ${i}`))
    await net.clock.run(() => net.member(other).driver.counters.snapshotsTaken > 0)
    await net.crash(other)
    const again = await net.start(other, { restoreMs: 300 })
    await net.clock.run(() => again.machine.state.items.length === 40 || again.failures.length > 0, {
      limitMs: 5000,
    })
    expect(again.failures).toEqual([])
    expect(again.machine.state.items).toEqual(leader.machine.state.items)
  })

  test('only a server that starts gives way to others that do', async () => {
    const net = new DriverNet(NAMES, { snapshotEveryBytes: 1000 })
    await net.startAll()
    const leader = await net.leader()
    for (let i = 0; i < 40; i++) await net.clock.settle(net.propose(leader, `item ${i}`))
    await net.clock.run(() => net.member('n1').driver.counters.snapshotsTaken > 0)
    await net.crash('n1')
    net.givingWay = true
    const again = await net.start('n1', { restoreMs: 1000 })
    expect(net.member('n2').driver.givesWay).toBe(false)
    expect(again.driver.givesWay).toBe(true)
    await net.clock.run(() => again.machine.state.items.length === 40)
    expect(again.driver.givesWay).toBe(false)
  })

  test('a server that still restores its snapshot stores, votes for one that does not, and seeks no office', async () => {
    const net = new DriverNet(NAMES, { snapshotEveryBytes: 1000 })
    await net.startAll()
    const leader = await net.leader()
    for (let i = 0; i < 40; i++) await net.clock.settle(net.propose(leader, `item ${i}`))
    await net.clock.run(() => net.member('n1').driver.counters.snapshotsTaken > 0)
    for (const id of NAMES) await net.crash(id)
    await net.clock.advance(10) // What they had sent has arrived nowhere.
    const first = await net.start('n1', { restoreMs: 20_000 })
    await net.clock.advance(5000)
    expect(first.changes).toEqual([])
    // The third stays away: nothing is elected or committed without the one that restores.
    await net.start('n2')
    const elected = await net.leader(['n2'])
    expect(await net.clock.settle(net.propose(elected, 'meanwhile'))).toBe(41)
    expect(first.driver.lastApplied).toBe(0)
    await net.clock.run(() => first.machine.state.items.length === 41, { limitMs: 20_000 })
    expect(first.machine.state.items).toEqual(elected.machine.state.items)
  })
})

/** A snapshot on its way to a follower: slow, broken off, damaged, abandoned (§7). */
import { describe, expect, test } from 'vitest'
import type { RaftNode } from '../../src/index.ts'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, type Appender } from './appender.ts'
import { narrow } from './narrow.ts'

const CHUNK_BYTES = 32 * 1024
const ITEM = 'x'.repeat(4000)
const ITEMS = 100
const STATE_BYTES = ITEMS * ITEM.length

interface Setting {
  readonly t: RaftCluster<Appender>
  readonly leader: RaftNode<Appender>
  /** Crashed; the log that it lacks is gone. */
  readonly slow: string
}

/** A cluster in which one follower was away for longer than the log reaches. Every channel carries `bytesPerMs` from now on. */
async function setting(bytesPerMs: number, onSend?: (message: Uint8Array) => void): Promise<Setting> {
  const line = { bytesPerMs: Infinity }
  const t = await RaftCluster.start<Appender>({
    seed: 6,
    stateMachine: appender,
    options: { limits: { trailingBytes: 0, snapshotChunkBytes: CHUNK_BYTES } },
    transport: (own, clock) => narrow(own, { clock, line, ...(onSend === undefined ? {} : { onSend }) }),
  })
  const leader = await t.leader()
  const [slow = ''] = t.except(leader)
  await t.crash(slow)
  await t.settle(Promise.all(Array.from({ length: ITEMS }, () => leader.propose(ITEM))))
  await t.settle(leader.snapshot())
  line.bytesPerMs = bytesPerMs
  return { t, leader, slow }
}

describe('a snapshot on a slow line', () => {
  test('keeps no heartbeat and no entry waiting: nobody campaigns, commands commit, for ten election timeouts', async () => {
    // A chunk takes more than an election timeout.
    const { t, leader, slow } = await setting(40)
    const again = await t.restart(slow)
    const begun = t.clock.now()
    const { term } = leader.status()
    let slowest = 0
    while (again.metrics().snapshotsInstalled === 0) {
      const before = t.clock.now()
      await t.settle(leader.propose('meanwhile'))
      slowest = Math.max(slowest, t.clock.now() - before)
      await t.advance(100)
    }
    expect(t.clock.now() - begun).toBeGreaterThan(STATE_BYTES / 40)
    expect(slowest).toBeLessThan(100)
    await t.settle(again.read((machine) => machine.state.items.length))
    expect(t.nodes.map((node) => node.status().term)).toEqual([term, term, term])
    expect(again.metrics().campaigns).toBe(0)
    await t.close()
  })

  test('is sent once: no chunk again while the last is still leaving', async () => {
    const { t, leader, slow } = await setting(40)
    const before = t.network.counters(leader.id, slow).bytesSent
    const again = await t.restart(slow)
    await t.until(() => again.metrics().snapshotsInstalled === 1)
    expect(t.network.counters(leader.id, slow).bytesSent - before).toBeLessThan(1.2 * STATE_BYTES)
    await t.close()
  })

  test('goes on where it was when the line broke in between', async () => {
    const { t, leader, slow } = await setting(400)
    const { bytesDelivered } = t.network.counters(leader.id, slow)
    const again = await t.restart(slow)
    const delivered = (): number => t.network.counters(leader.id, slow).bytesDelivered - bytesDelivered
    for (const part of [0.3, 0.6, 0.9]) {
      await t.until(() => delivered() > part * STATE_BYTES)
      t.isolate(slow)
      await t.advance(3000)
      t.heal()
    }
    await t.until(() => again.metrics().snapshotsInstalled === 1)
    // A chunk may be sent again for each break, and what was on its way is lost; not the whole.
    expect(delivered()).toBeLessThan(STATE_BYTES + 3 * 2 * CHUNK_BYTES + 20_000)
    expect(await t.settle(again.read((machine) => machine.state.items.length))).toBe(ITEMS)
    await t.close()
  })
})

describe('a snapshot that arrives damaged', () => {
  test('is refused and asked for again; what is installed is whole', async () => {
    let damage = 0
    const { t, leader, slow } = await setting(4000, (message) => {
      if (message.length < CHUNK_BYTES || damage !== 1) return
      damage++
      message.fill(0, message.length - 8)
    })
    const before = t.network.counters(leader.id, slow).bytesSent
    const again = await t.restart(slow)
    damage = 1
    await t.until(() => again.metrics().snapshotsInstalled === 1)
    expect(damage).toBe(2)
    expect(t.network.counters(leader.id, slow).bytesSent - before).toBeGreaterThan(2 * STATE_BYTES)
    expect(await t.settle(again.read((machine) => machine.state.items))).toEqual(Array(ITEMS).fill(ITEM))
    await t.close()
  })
})

describe('while a snapshot is being received', () => {
  test('one that the user asks for is made after it, and is the received one', async () => {
    const { t, leader, slow } = await setting(400)
    const before = t.network.counters(leader.id, slow).bytesDelivered
    const again = await t.restart(slow)
    await t.until(() => t.network.counters(leader.id, slow).bytesDelivered - before > STATE_BYTES / 2)
    const { index } = await t.settle(again.snapshot())
    expect(again.metrics()).toMatchObject({ snapshotsInstalled: 1, snapshotsTaken: 0 })
    expect(index).toBe(leader.status().snapshotIndex)
    await t.settle(leader.propose('after'))
    const own = await t.settle(again.readBarrier().then(() => again.snapshot()))
    expect(own.index).toBeGreaterThan(index)
    await t.close()
  })

  test('one that is never finished gives its place back: the server makes its own again', async () => {
    const { t, leader, slow } = await setting(400)
    const before = t.network.counters(leader.id, slow).bytesDelivered
    const again = await t.restart(slow)
    await t.until(() => t.network.counters(leader.id, slow).bytesDelivered - before > STATE_BYTES / 2)
    t.isolate(slow)
    const meta = await t.settle(again.snapshot())
    expect(meta.index).toBe(again.status().appliedIndex)
    t.heal()
    await t.until(() => again.metrics().snapshotsInstalled === 1)
    expect(await t.settle(again.read((machine) => machine.state.items.length))).toBe(ITEMS)
    await t.close()
  })
})

import { describe, expect, test } from 'vitest'
import { errorOf } from '../node/appender.ts'
import { HostCluster, type HostClusterOptions } from './host-cluster.ts'

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** A cluster at rest, and a process that leads some of its groups. */
async function atRest(
  options: HostClusterOptions,
): Promise<{ t: HostCluster; leader: string; others: string[] }> {
  const t = await HostCluster.start(options)
  await t.rest()
  const [leader = ''] = [...t.ids].sort((a, b) => t.ledBy(b).length - t.ledBy(a).length)
  return { t, leader, others: t.ids.filter((id) => id !== leader) }
}

describe('idle groups', () => {
  test('send nothing: messages a second do not depend on how many groups there are', async () => {
    const perSecond: number[] = []
    for (const count of [1, 10, 100]) {
      const { t } = await atRest({ groups: range(count), seed: count, traced: false })
      perSecond.push(await t.messagesPerSecond(5000))
      await t.close()
    }
    // Ten beats a second each way between three processes, and what RPC itself says to keep its connections.
    const [one = 0] = perSecond
    expect(one).toBeLessThan(65)
    expect(perSecond).toEqual([one, one, one])
  })

  test('keep their leaders, whatever their neighbours do', async () => {
    const { t } = await atRest({ groups: range(5) })
    const terms = (): (number | undefined)[] => t.groups.map((group) => t.leaderOf(group)?.status().term)
    const before = terms()
    for (let i = 0; i < 30; i++) {
      await t.settle(t.node('n1', 0).propose(`x${i}`))
      await t.advance(1000)
    }
    expect(terms()).toEqual(before)
    await t.close()
    t.expectRules()
  })

  test('serve at once when they are asked: writes, reads, and reads under the lease', async () => {
    const { t, leader } = await atRest({ groups: [1], leases: true })
    await t.advance(30_000)
    const asked = t.now
    const [follower = ''] = t.ids.filter((id) => id !== leader)
    expect(await t.settle(t.node(follower, 1).propose('x'))).toBe(1)
    for (const consistency of ['linearizable', 'lease'] as const)
      expect(
        await t.settle(t.node(follower, 1).read((machine) => machine.state.items.length, { consistency })),
      ).toBe(1)
    expect(t.now - asked).toBeLessThan(50)
    await t.close()
    t.expectRules()
  })
})

describe('the process of leaders that dies', () => {
  test.each([1, 2])('all its groups elect within bounds, spread over time (seed %i)', async (seed) => {
    const { t, leader } = await atRest({ groups: range(40), seed })
    const led = t.ledBy(leader)
    expect(led.length).toBeGreaterThan(10)
    const [before, at] = [t.sent, t.now]
    t.crash(leader)
    await t.led()
    // Silence is noticed after the shortest timeout; then the rest of a timeout, and a millisecond for each group.
    expect(t.now - at).toBeLessThan(1300)
    // An election takes a pre-vote and a vote of each, and the first entry: no storm.
    expect((t.sent - before) / led.length).toBeLessThan(40)
    await t.close()
    t.expectRules()
  })

  test('a process that restarts before anybody missed it leads no more, and its groups go on', async () => {
    const { t, leader } = await atRest({ groups: range(6) })
    const at = t.now
    t.crash(leader)
    await t.restart(leader)
    await t.led()
    expect(t.now - at).toBeLessThan(1500)
    for (const group of t.groups) await t.settle(t.node(leader, group).propose('x'))
    await t.close()
    t.expectRules()
  })

  test('one that stood still finds out that others lead, also in groups that rest', async () => {
    const { t, leader, others } = await atRest({ groups: range(6) })
    const led = t.ledBy(leader)
    t.world.machine(leader).pause()
    await t.led([leader])
    await t.advance(2000)
    t.world.machine(leader).resume()
    await t.advance(1000)
    for (const group of led) {
      expect(others).toContain(t.leaderOf(group)?.id)
      expect(t.node(leader, group).status().role).toBe('follower')
    }
    await t.close()
    t.expectRules()
  })
})

describe('a group that ends in a process that lives on', () => {
  test('its leader: the others notice by the next beat, and elect', async () => {
    const { t, leader, others } = await atRest({ groups: range(4) })
    const [group = 0] = t.ledBy(leader)
    const at = t.now
    await t.stopGroup(leader, group)
    await t.until(() => others.includes(t.leaderOf(group)?.id ?? ''))
    expect(t.now - at).toBeLessThan(1300)
    await t.close()
    t.expectRules()
  })

  test('both followers: the leader leaves office, although their processes beat (CheckQuorum, thesis §6.2)', async () => {
    const { t, leader, others } = await atRest({ groups: [1, 2] })
    const [group = 0] = t.ledBy(leader)
    for (const id of others) await t.stopGroup(id, group)
    await t.advance(1000)
    expect(t.node(leader, group).status()).toMatchObject({
      role: expect.not.stringMatching('leader') as string,
    })
    for (const id of others) await t.settle(t.startGroup(id, group))
    await t.led()
    await t.close()
    t.expectRules()
  })

  test('one follower, which starts again: it gets what it has missed', async () => {
    const { t, leader, others } = await atRest({ groups: [1, 2] })
    const [group = 0] = t.ledBy(leader)
    const [follower = ''] = others
    await t.stopGroup(follower, group)
    await t.settle(t.node(leader, group).propose('x'))
    await t.advance(3000)
    await t.settle(t.startGroup(follower, group))
    await t.until(
      () => t.node(follower, group).status().appliedIndex === t.node(leader, group).status().appliedIndex,
    )
    await t.close()
    t.expectRules()
  })
})

describe('partitions', () => {
  test('a leader whose process is cut off leaves office; the rest elects; healed, nobody is disturbed again', async () => {
    const { t, leader, others } = await atRest({ groups: range(5) })
    const led = t.ledBy(leader)
    t.world.network.partition([leader], others)
    await t.led([leader])
    await t.until(() => led.every((group) => t.node(leader, group).status().role !== 'leader'))
    const error = errorOf(t.node(leader, led[0] ?? 0).propose('lost', { attempts: 1, timeout: 300 }))
    expect(await t.settle(error)).toMatchObject({ outcome: 'not-applied' })
    const terms = (): number[] => t.groups.map((group) => t.node(others[0] ?? '', group).status().term)
    const before = terms()
    t.world.network.heal()
    await t.led()
    await t.advance(2000)
    expect(terms()).toEqual(before)
    await t.close()
    t.expectRules()
  })

  test('a follower that does not hear the leader’s process, while a third does, disturbs nobody (§9.6, §4.2.3)', async () => {
    const { t, leader, others } = await atRest({ groups: range(5) })
    const [deaf = '', third = ''] = others
    const led = t.ledBy(leader)
    const terms = (): number[] => led.map((group) => t.node(third, group).status().term)
    const before = terms()
    t.world.network.cut(leader, deaf)
    t.world.network.cut(deaf, leader)
    await t.advance(5000)
    expect(terms()).toEqual(before)
    expect(led.map((group) => t.node(leader, group).status().role)).toEqual(led.map(() => 'leader'))
    t.world.network.heal()
    await t.led()
    expect(terms()).toEqual(before)
    await t.close()
    t.expectRules()
  })
})

import { describe, expect, test } from 'vitest'
import { HostCluster } from './host-cluster.ts'

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** Lets everything settle: elections, catching up, the last heartbeats. */
async function quiet(t: HostCluster): Promise<void> {
  await t.led()
  await t.advance(2000)
}

describe('idle groups', () => {
  test('send nothing: messages a second do not depend on how many groups there are', async () => {
    const perSecond = new Map<number, number>()
    for (const count of [1, 10, 100]) {
      const t = await HostCluster.start({ groups: range(count), seed: count })
      await quiet(t)
      perSecond.set(count, await t.messagesPerSecond(10_000))
      await t.close()
      t.expectRules()
    }
    // Ten beats a second each way between three processes, and what RPC itself says to keep its connections.
    const [one = 0] = perSecond.values()
    expect(one).toBeLessThan(65)
    expect([...perSecond.values()]).toEqual([one, one, one])
  })

  test('keep their leader for two minutes', async () => {
    const t = await HostCluster.start({ groups: range(5) })
    await quiet(t)
    const terms = t.groups.map((group) => t.leaderOf(group)?.status().term)
    await t.advance(120_000)
    expect(t.groups.map((group) => t.leaderOf(group)?.status().term)).toEqual(terms)
    await t.close()
  })
})

describe('the process of leaders that dies', () => {
  test.each([1, 2])('all its groups elect within bounds, spread over time (seed %i)', async (seed) => {
    const t = await HostCluster.start({ groups: range(60), seed })
    await quiet(t)
    const victim = t.ids
      .map((id) => ({ id, led: t.groups.filter((group) => t.leaderOf(group)?.id === id) }))
      .sort((a, b) => b.led.length - a.led.length)[0]!
    expect(victim.led.length).toBeGreaterThan(10)
    const before = t.network.counters().sent
    const at = t.clock.now()
    await t.crash(victim.id)
    await t.led()
    // Silence is noticed after the shortest timeout; then a timeout, spread by a millisecond a group; then an election.
    expect(t.clock.now() - at).toBeLessThan(1500)
    // An election takes a pre-vote and a vote of each, and the first entry: no storm.
    expect((t.network.counters().sent - before) / victim.led.length).toBeLessThan(40)
    await t.close()
    t.expectRules()
  })
})

import { seededRandom } from '@lab/rpc'
import { ManualClock } from '@lab/rpc/testing'
import { expect, test } from 'vitest'
import { Campaigns } from '../../src/host/campaigns.ts'

const LAST_MS = 600

/** Groups that ask at one moment; each campaign is decided after `ms`, or asks again each time that it has lasted too long. */
class Groups {
  readonly clock = new ManualClock()
  readonly begun: { readonly group: number; readonly at: number }[] = []
  readonly campaigns: Campaigns
  underWay = 0
  most = 0
  ms: number

  constructor(ms: number, seed = 1) {
    this.ms = ms
    this.campaigns = new Campaigns(this.clock, seededRandom(seed), LAST_MS)
  }

  enter(group: number): void {
    this.campaigns.enter(group, () => {
      this.begun.push({ group, at: this.clock.now() })
      this.underWay++
      this.most = Math.max(this.most, this.underWay)
      const isDecided = this.ms <= LAST_MS
      this.clock.setTimer(Math.min(this.ms, LAST_MS), () => {
        this.underWay--
        if (isDecided) this.campaigns.decided(group, true)
        else this.enter(group)
      })
    })
  }

  async run(count: number, ms: number): Promise<void> {
    for (let group = 0; group < count; group++) this.enter(group)
    await this.clock.advance(ms)
  }

  get order(): number[] {
    return this.begun.map(({ group }) => group)
  }
}

test('a thousand groups campaign, 64 at a time and each once, as fast as campaigns are decided', async () => {
  const groups = new Groups(10)
  await groups.run(1000, 10_000)
  expect(groups.most).toBe(64)
  expect(new Set(groups.order).size).toBe(1000)
  expect(groups.begun).toHaveLength(1000)
  expect(groups.begun.at(-1)?.at).toBe(150)
})

test('while campaigns last too long fewer and fewer are under way, and never none; once they do not, all come to their turn', async () => {
  const groups = new Groups(LAST_MS + 1)
  await groups.run(300, 10_000)
  groups.most = 0
  await groups.clock.advance(5000)
  expect(groups.most).toBeLessThanOrEqual(5)
  groups.ms = 10
  const before = groups.begun.length
  await groups.clock.advance(20_000)
  expect(new Set(groups.order.slice(before)).size).toBeGreaterThanOrEqual(296)
  expect(groups.underWay).toBe(0)
})

test('two processes that start together do not go by the same order', async () => {
  const [one, other] = [new Groups(10, 1), new Groups(10, 2)]
  await one.run(300, 10_000)
  await other.run(300, 10_000)
  expect(one.order.slice(64)).not.toEqual(other.order.slice(64))
})

test('a group that has a leader by now does not campaign; one that asks again waits once, and the last that it asked for is done', async () => {
  const groups = new Groups(10)
  const done: string[] = []
  for (let group = 0; group < 64; group++) groups.enter(group)
  groups.campaigns.enter(64, () => done.push('first'))
  groups.campaigns.enter(64, () => done.push('last'))
  groups.campaigns.enter(65, () => done.push('led by another'))
  groups.campaigns.decided(65, true)
  await groups.clock.advance(1000)
  expect(done).toEqual(['last'])
})

test('a campaign of which nobody hears any more takes no place for ever', async () => {
  const groups = new Groups(10)
  const done: number[] = []
  for (let group = 0; group < 128; group++) groups.campaigns.enter(group, () => done.push(group))
  expect(done).toHaveLength(64)
  await groups.clock.advance(20 * LAST_MS)
  expect(done).toHaveLength(128)
})

test('stopped, nothing is done any more', async () => {
  const groups = new Groups(10)
  const done: number[] = []
  for (let group = 0; group < 70; group++) groups.campaigns.enter(group, () => done.push(group))
  groups.campaigns.stop()
  await groups.clock.advance(10_000)
  expect(done).toHaveLength(64)
})

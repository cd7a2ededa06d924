import { seededRandom } from '@lab/rpc'
import { ManualClock } from '@lab/rpc/testing'
import { expect, test } from 'vitest'
import { Campaigns } from '../../src/host/campaigns.ts'

/** When each of `count` groups that ask at one moment may campaign. */
async function times(count: number): Promise<number[]> {
  const clock = new ManualClock()
  const campaigns = new Campaigns(clock, seededRandom(1), 100)
  const at: number[] = []
  for (let group = 0; group < count; group++) campaigns.enter(group, () => at.push(clock.now()))
  await clock.advance(10_000)
  return at
}

test('a few groups campaign at once', async () => {
  expect(await times(64)).toEqual(Array.from({ length: 64 }, () => 0))
})

test('many campaign a few at a time, all of them', async () => {
  const at = await times(300)
  expect(at).toHaveLength(300)
  for (let begin = 0; begin <= 500; begin += 100)
    expect(at.filter((time) => time >= begin && time < begin + 100).length).toBeLessThanOrEqual(64)
  expect(at.at(-1)).toBe(400)
})

test('a group that asks again while it waits waits once, and the last that it asked for is done', async () => {
  const clock = new ManualClock()
  const campaigns = new Campaigns(clock, seededRandom(1), 100)
  const done: string[] = []
  for (let group = 0; group < 64; group++) campaigns.enter(group, () => undefined)
  campaigns.enter(64, () => done.push('first'))
  campaigns.enter(64, () => done.push('last'))
  await clock.advance(1000)
  expect(done).toEqual(['last'])
})

test('stopped, nothing is done any more', async () => {
  const clock = new ManualClock()
  const campaigns = new Campaigns(clock, seededRandom(1), 100)
  const done: number[] = []
  for (let group = 0; group < 70; group++) campaigns.enter(group, () => done.push(group))
  campaigns.stop()
  await clock.advance(1000)
  expect(done).toHaveLength(64)
})

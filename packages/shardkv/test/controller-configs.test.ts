import type { Config } from '@lab/shardctrler'
import { expect, test } from 'vitest'
import { ControllerConfigs } from '../src/controller-configs.ts'
import { ShardCluster } from './shard-cluster.ts'

test('groups of one process share a watch: with a hundred of them nothing more is said, and none leaves a configuration out', async () => {
  const t = await ShardCluster.start({ groups: [] })
  const configs = new ControllerConfigs({ ...t.clientOptions(), servers: t.controllers })
  const ending = new AbortController()
  const seen: number[][] = []
  const follow = async (after: number): Promise<void> => {
    const nums: number[] = []
    seen.push(nums)
    for await (const { num } of configs.watch({ after, signal: ending.signal })) nums.push(num)
  }
  const idleMessages = async (): Promise<number> => {
    await t.advance(3000)
    const before = t.world.network.counters().sent
    await t.advance(10_000)
    return t.world.network.counters().sent - before
  }
  const join = (gid: number): Promise<number> => t.settle(t.controller.join({ [gid]: [`memory://g${gid}`] }))

  const work = [follow(0)]
  await join(100)
  await join(101)
  const withOne = await idleMessages()
  for (let group = 1; group < 100; group++) work.push(follow(group % 3))
  await t.advance(1000)
  await join(102)
  const withHundred = await idleMessages()
  // Mostly the controllers' own heartbeats.
  expect(withHundred).toBeLessThan(1.1 * withOne)
  for (const [group, nums] of seen.entries()) expect(nums).toEqual([1, 2, 3].slice(group % 3))

  ending.abort()
  await t.settle(Promise.all(work))
  await t.settle(configs.close())
})

test('a watch goes on when the controller cannot be reached for a while, and another server leads', async () => {
  const t = await ShardCluster.start({ groups: [] })
  const configs = new ControllerConfigs({ ...t.clientOptions(), servers: t.controllers })
  const ending = new AbortController()
  const seen: Config[] = []
  const work = (async () => {
    for await (const config of configs.watch({ after: 0, signal: ending.signal })) seen.push(config)
  })()
  const join = (gid: number): Promise<number> => t.settle(t.controller.join({ [gid]: [`memory://g${gid}`] }))
  await join(100)
  t.crash('c1', 'c2')
  await t.advance(5000)
  await t.restart('c1', 'c2')
  t.crash('c3')
  await join(101)
  await t.until(() => seen.length === 2)
  expect(seen.map(({ num }) => num)).toEqual([1, 2])
  ending.abort()
  await t.settle(work)
  await t.settle(configs.close())
})

import { expect, test } from 'vitest'
import { ShardCluster } from './shard-cluster.ts'

const KEYS = Array.from({ length: 10 }, (_, key) => String(key))

test('keys stay readable and writable while groups join and leave', async () => {
  const t = await ShardCluster.start()
  await t.join(100)
  const clerk = await t.clerk()
  for (const key of KEYS) await t.settle(clerk.put(key, `v${key}`))
  await t.join(101)
  for (const key of KEYS) await t.settle(clerk.append(key, '+'))
  await t.join(102)
  await t.leave(100)
  for (const key of KEYS) expect(await t.settle(clerk.getText(key))).toBe(`v${key}+`)
  await t.settled()
  expect(t.replicas(100).every(({ machine }) => machine.shards.size === 0)).toBe(true)
  expect(await t.settle(clerk.scan({ prefix: '' }))).toHaveLength(10)
})

import { expect, test } from 'vitest'
import { ShardCluster } from './shard-cluster.ts'

const KEYS = Array.from({ length: 10 }, (_, key) => String(key))

/** The controller remembers the newest configuration alone. */
async function compacted(t: ShardCluster): Promise<void> {
  const { num } = await t.config()
  for (;;) {
    const { firstNum } = await t.settle(t.controller.progress())
    if (firstNum === num) return
    await t.advance(100)
  }
}

test('what every group has finished is forgotten, and a group that comes later begins at what is left', async () => {
  const t = await ShardCluster.start()
  await t.join(100)
  const clerk = await t.clerk()
  for (const key of KEYS) await t.settle(clerk.put(key, `v${key}`))
  await t.join(101)
  await compacted(t)
  await expect(t.settle(t.controller.query(1))).rejects.toMatchObject({ code: 'COMPACTED', firstNum: 2 })

  await t.join(102)
  await t.leave(100)
  await compacted(t)
  await t.join(100)
  await t.leave(101, 102)
  await compacted(t)
  for (const key of KEYS) expect(await t.settle(clerk.getText(key))).toBe(`v${key}`)
  await t.settled()
  expect(t.replicas(101).every(({ machine }) => machine.shards.size === 0)).toBe(true)
})

test('a configuration is not forgotten while a group that left still has what nobody else has', async () => {
  const t = await ShardCluster.start()
  await t.join(100)
  const clerk = await t.clerk()
  for (const key of KEYS) await t.settle(clerk.put(key, `v${key}`))
  await compacted(t)
  await t.leave(100)
  await t.advance(5000)
  expect(await t.settle(t.controller.progress())).toEqual({ firstNum: 1, finished: { 100: 1 }, gone: [] })
  await t.join(101)
  for (const key of KEYS) expect(await t.settle(clerk.getText(key))).toBe(`v${key}`)
  await compacted(t)
})

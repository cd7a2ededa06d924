import { operationDurations } from '@lab/kvraft'
import { valueText } from '@lab/kvraft/clerk'
import { expect, test } from 'vitest'
import { GROUP_OPERATIONS } from '../src/request-kinds.ts'
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
  const told = t.gids
    .flatMap((gid) => t.replicas(gid))
    .flatMap(({ node }) => operationDurations(node.metrics(), GROUP_OPERATIONS))
    .map(({ operation }) => operation)
  for (const operation of ['session', 'put', 'append', 'get', 'scan', 'configure', 'move', 'release'])
    expect(told).toContain(operation)
  expect(told).not.toContain('other')
})

test('a watch tells every change once and in order while the shard goes from group to group', async () => {
  const t = await ShardCluster.start({ groups: [100, 101], seed: 3 })
  await t.join(100)
  const clerk = await t.clerk()
  await t.settle(clerk.put('k', '0'))
  const seen: string[] = []
  const ended = new AbortController()
  const watching = (async () => {
    for await (const event of clerk.watch({ key: 'k' }, { after: { 7: 0 }, signal: ended.signal }))
      seen.push(`${event.revision}:${valueText(event.value)}`)
  })().catch(() => undefined)
  for (let round = 1; round <= 8; round++) {
    if (round === 3) await t.join(101)
    if (round === 4) await t.leave(100)
    if (round === 6) await t.join(100)
    if (round === 7) await t.leave(101)
    await t.settle(clerk.put('k', String(round)))
  }
  await t.until(() => seen.length >= 9)
  await t.advance(3000)
  expect(seen).toEqual(Array.from({ length: 9 }, (_, at) => `${at + 1}:${at}`))
  ended.abort()
  await t.settle(watching)
})

test('a key that is to expire does so after its shard has moved, and not before its time', async () => {
  const t = await ShardCluster.start({ groups: [100, 101] })
  await t.join(100)
  const clerk = await t.clerk()
  await t.settle(clerk.put('k', 'short', { ttl: 3000 }))
  await t.join(101)
  await t.leave(100)
  expect(await t.settle(clerk.getText('k'))).toBe('short')
  await t.advance(5000)
  expect(await t.settle(clerk.getText('k'))).toBeUndefined()
})

test('a transaction over several shards is refused before anything is sent; one tag holds its keys together', async () => {
  const t = await ShardCluster.start({ groups: [100, 101], keyToShard: 'crc16', shards: 64 })
  await t.join(100, 101)
  const clerk = await t.clerk()
  const put = (...keys: string[]) =>
    t.settle(clerk.txn({ then: keys.map((key) => ({ op: 'put' as const, key, value: '1' })) }))
  await expect(put('a', 'b')).rejects.toMatchObject({ code: 'CROSS_SHARD', outcome: 'not-applied' })
  expect(await put('{a}/1', '{a}/2')).toMatchObject({ succeeded: true })
  expect((await t.settle(clerk.scan({ prefix: '' }))).map(({ key }) => valueText(key))).toEqual([
    '{a}/1',
    '{a}/2',
  ])
})

test('a large shard moves in pages, through crashes of both leaders, while other shards are served', async () => {
  const t = await ShardCluster.start({ groups: [100, 101], snapshotEveryBytes: 256 * 1024 })
  await t.join(100)
  const clerk = await t.clerk()
  const value = 'x'.repeat(10_000)
  const keys = Array.from({ length: 200 }, (_, at) => `k${String(at).padStart(3, '0')}`)
  await t.settle(Promise.all(keys.map((key) => clerk.put(key, value + key))))
  await t.settle(clerk.put('j', 'stays'))
  await t.settle(t.controller.join({ 101: t.addressesOf(101) }))
  await t.settle(t.controller.move(7, 101))
  await t.settle(t.controller.move(6, 100))
  await t.until(() => (t.leaderOf(101)?.machine.arrivals.get(7)?.pages ?? 0) >= 3)
  const crashed = [100, 101].map((gid) => t.leaderOf(gid)?.node.id ?? '')
  t.crash(...crashed)
  expect(await t.settle(clerk.getText('j'))).toBe('stays')
  await t.restart(...crashed)
  await t.settled()
  for (const key of keys) expect(await t.settle(clerk.getText(key))).toBe(value + key)
  expect(t.replicas(101).map(({ machine }) => machine.shards.get(7)?.store.size)).toEqual([200, 200, 200])
})

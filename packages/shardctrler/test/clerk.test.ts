import { expect, test } from 'vitest'
import { shardsOf, type Config } from '@lab/shardctrler'
import { controllerCluster } from './controller-cluster.ts'

test('a clerk has groups join and leave, and sees what it made', async () => {
  const { t, clerk } = await controllerCluster({ creation: { shards: 64 } })
  const ctrl = await clerk('c1')
  expect(await t.settle(ctrl.query())).toMatchObject({ num: 0, groups: {} })
  expect(await t.settle(ctrl.join({ 100: ['tcp://a:1', 'b'], 101: ['c'] }, { weights: { 101: 3 } }))).toBe(1)
  const config = await t.settle(ctrl.query())
  expect(config).toMatchObject({
    num: 1,
    groups: { 100: ['tcp://a:1', 'b'], 101: ['c'] },
    weights: { 101: 3 },
  })
  expect(shardsOf(config, 101)).toHaveLength(48)
  expect(await t.settle(ctrl.leave([101]))).toBe(2)
  expect(await t.settle(ctrl.move(5, 100))).toBe(2)
  expect(await t.settle(ctrl.query(1))).toEqual(config)
  await t.close()
})

test('a refusal comes with its code, and says that nothing was done', async () => {
  const { t, clerk } = await controllerCluster()
  const ctrl = await clerk('c1')
  const refused = { name: 'ControllerError', outcome: 'not-applied' }
  await expect(t.settle(ctrl.leave([7]))).rejects.toMatchObject({ ...refused, code: 'UNKNOWN_GID' })
  await expect(t.settle(ctrl.join({ 1: [] }))).rejects.toMatchObject({ ...refused, code: 'NO_SERVERS' })
  expect(() => ctrl.move(-1, 1)).toThrow(expect.objectContaining({ ...refused, code: 'BAD_SHARD' }))
  expect(() => ctrl.join({ x: ['a'] } as Record<number, string[]>)).toThrow(
    expect.objectContaining({ code: 'BAD_GID' }),
  )
  await t.close()
})

test('servers that disagree about the number of shards agree on the first leader’s, for good', async () => {
  const { t, clerk, restart } = await controllerCluster({
    creation: (id) => ({ shards: Number(id.slice(1)) * 10 }),
  })
  const leader = await t.leader()
  const ctrl = await clerk('c1')
  const { length } = (await t.settle(ctrl.query())).shards
  expect(length).toBe(Number(leader.id.slice(1)) * 10)
  await t.crash(leader.id)
  await t.leader({ among: t.except(leader) })
  await restart(leader.id)
  expect((await t.settle(ctrl.query())).shards).toHaveLength(length)
  await t.close()
})

test('joins of which the replies are lost take effect once (thesis §6.3)', async () => {
  const { t, clerk } = await controllerCluster({ seed: 3 })
  const ctrl = await clerk('c1')
  t.network.set({ lossRate: 0.1 })
  for (let gid = 1; gid <= 20; gid++) expect(await t.settle(ctrl.join({ [gid]: ['s'] }))).toBe(gid)
  await t.close()
})

test('a watch tells every configuration once and in order, while leaders die and logs become snapshots', async () => {
  const { t, clerk, restart } = await controllerCluster({ seed: 5, snapshotEveryBytes: 2000 })
  const [ctrl, watcher] = [await clerk('c1'), await clerk('w1')]
  const told: Config[] = []
  const stop = new AbortController()
  const watching = (async () => {
    for await (const config of watcher.watch({ after: 0, signal: stop.signal })) told.push(config)
  })()
  watching.catch(() => undefined)
  for (let gid = 1; gid <= 30; gid++) {
    await t.settle(ctrl.join({ [gid]: [`s${gid}`] }))
    if (gid % 10 !== 5) continue
    const { id } = await t.leader()
    await t.crash(id)
    await t.leader({ among: t.except(id) })
    await restart(id)
  }
  await t.until(() => told.length === 30)
  expect(told.map(({ num }) => num)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1))
  expect(told.at(-1)).toEqual(await t.settle(ctrl.query()))
  stop.abort()
  await expect(t.settle(watching)).rejects.toMatchObject({ code: 'CANCELLED' })
  await t.close()
})

test('a watch at a server that is cut off from the others hears of the next configuration all the same', async () => {
  const { t, clerk } = await controllerCluster({ seed: 2 })
  const [ctrl, watcher] = [await clerk('c1'), await clerk('w1')]
  const told: number[] = []
  void (async () => {
    for await (const { num } of watcher.watch({ after: 0 })) told.push(num)
  })().catch(() => undefined)
  await t.settle(ctrl.join({ 1: ['a'] }))
  await t.until(() => told.length === 1)
  // Any server may be the one that tells.
  for (const cut of t.ids) {
    t.partition([cut], t.except(cut))
    const before = told.length
    await t.settle(ctrl.join({ [before + 1]: ['a'] }))
    await t.until(() => told.length === before + 1, 8000)
    t.heal()
  }
  await t.close()
})

test('a watch that asks for what is forgotten is told so', async () => {
  const { t, clerk } = await controllerCluster()
  const ctrl = await clerk('c1')
  for (const gid of [1, 2, 3]) await t.settle(ctrl.join({ [gid]: ['s'] }))
  for (const gid of [1, 2, 3]) await t.settle(ctrl.finished(gid, 3))
  expect(await t.settle(ctrl.progress())).toEqual({ firstNum: 3, finished: { 1: 3, 2: 3, 3: 3 }, gone: [] })
  const forgotten = { name: 'ControllerError', code: 'COMPACTED', firstNum: 3 }
  await expect(t.settle(ctrl.watch({ after: 0 }).next())).rejects.toMatchObject(forgotten)
  await expect(t.settle(ctrl.query(2))).rejects.toMatchObject(forgotten)
  await t.close()
})

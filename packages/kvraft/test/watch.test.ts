import { expect, test } from 'vitest'
import type { Clerk, WatchOptions } from '../src/clerk.ts'
import type { WatchEvent } from '../src/events.ts'
import { boundsOf, type KeyRange } from '../src/range.ts'
import { isInRange } from '../src/event-key.ts'
import { kvCluster, type KvCluster } from './kv-cluster.ts'
import { changesOf, checkWatch } from './watch-checker.ts'

/** The simulator judges watches among all else, in twelve seeds, a thousand in the long tests; here it is plain what must come out. */
const SEEDS = process.env['LAB_LONG'] === '1' ? [1, 2, 3, 4, 5] : [1, 2]

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** A watch that goes on by itself: what it has told so far, and why it ended. */
function following(
  kv: Clerk,
  range: KeyRange,
  options?: WatchOptions,
): { told: WatchEvent[]; end: Promise<unknown> } {
  const told: WatchEvent[] = []
  const follow = async (): Promise<void> => {
    for await (const event of kv.watch(range, options)) {
      told.push({ ...event, key: event.key.slice(), value: event.value.slice() })
    }
  }
  return { told, end: follow().catch((error: unknown) => error) }
}

const wanted = (range: KeyRange) => (event: WatchEvent) => isInRange(event.key, boundsOf(range))

test('a watch tells puts, appends, deletes and transactions of its range as they come, and nothing else', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  await t.settle(kv.put('a/1', 'before'))
  const { told } = following(kv, { prefix: 'a/' })
  await t.advance(500)
  await t.settle(kv.put('a/1', 'x'))
  await t.settle(kv.put('b/1', 'no'))
  await t.settle(kv.append('a/2', 'y'))
  await t.settle(
    kv.txn({
      then: [
        { op: 'put', key: 'a/3', value: 'z' },
        { op: 'delete', key: 'a/1' },
      ],
    }),
  )
  await t.advance(500)
  expect(
    told.map(({ type, key, value, revision, version }) => [
      type,
      textOf(key),
      textOf(value),
      revision,
      version,
    ]),
  ).toEqual([
    ['put', 'a/1', 'x', 2, 2],
    ['append', 'a/2', 'y', 4, 1],
    ['put', 'a/3', 'z', 5, 1],
    ['delete', 'a/1', '', 6, 0],
  ])
  await t.close()
})

test.each(SEEDS)(
  'watches lose, repeat and reorder nothing while messages are lost and servers die, seed %i',
  async (seed) => {
    const cluster = await kvCluster({ seed, snapshotEveryBytes: 6000 })
    const { t, clerk } = cluster
    const [writer, second, reader] = await Promise.all(['w1', 'w2', 'r'].map((name) => clerk(name)))
    const ranges: KeyRange[] = [{ prefix: '' }, { prefix: 'k1' }, { key: 'k2' }, { from: 'k3', to: 'k6' }]
    const watches = ranges.map((range) => following(reader!, range, { after: 0 }))
    t.network.set({ lossRate: 0.1, reordering: true })
    const work = Promise.all([changeAll(writer!, 0, 60), changeAll(second!, 5, 60)])
    await killServers(cluster, 4)
    await t.settle(work, 600_000)
    t.network.set({ lossRate: 0, reordering: false })
    // The last items may be lost like any message: a quiet stream is asked after every ten seconds.
    await t.advance(15_000)
    const truth = changesOf(await cluster.store((await t.leader()).id))
    expect(truth.length).toBe(120)
    ranges.forEach((range, at) => checkWatch(watches[at]!.told, truth, wanted(range)))
    await t.close()
  },
)

test('a watch whose changes are forgotten says so, and where to go on', async () => {
  const { t, clerk } = await kvCluster({ historyBytes: 300 })
  const kv = await clerk('clerk')
  for (let n = 0; n < 40; n++) await t.settle(kv.put('k', `value ${n}`))
  const { end } = following(kv, { prefix: '' }, { after: 3 })
  const error = (await t.settle(end)) as { firstRevision: number }
  expect(error).toMatchObject({ code: 'COMPACTED' })
  const after = error.firstRevision - 1
  const { told } = following(kv, { prefix: '' }, { after })
  await t.advance(200)
  expect(told.map(({ revision }) => revision)).toEqual(
    Array.from({ length: 40 - after }, (_, n) => after + 1 + n),
  )
  await t.close()
})

test('a watch of keys that do not change is told how far the store is, and comes back when the rest is forgotten', async () => {
  const cluster = await kvCluster({ historyBytes: 2000 })
  const { t, clerk } = cluster
  const kv = await clerk('clerk')
  let progress = 0
  const { told } = following(kv, { key: 'quiet' }, { onProgress: (revision) => (progress = revision) })
  await t.advance(200)
  for (let n = 0; n < 100; n++) await t.settle(kv.put('loud', `value ${n}`))
  await t.advance(1500)
  expect(progress).toBe(100)
  await killServers(cluster, 3)
  await t.settle(kv.put('quiet', 'now'))
  await t.advance(3000)
  expect(told.map(({ revision }) => revision)).toEqual([101])
  await t.close()
})

test('a server that is behind the revision of a watch waits for it, and tells nothing old meanwhile', async () => {
  const cluster = await kvCluster()
  const { t, clerk } = cluster
  const leader = await t.leader()
  const behind = t.except(leader)[0]!
  const kv = await clerk('writer', t.except(behind))
  await t.settle(kv.put('k', 'old'))
  await t.advance(500)
  t.isolate(behind)
  for (let n = 0; n < 5; n++) await t.settle(kv.put('k', `new ${n}`))
  const other = await clerk('reader', [behind]).catch(() => null)
  // It is cut off from the others only.
  t.heal()
  t.network.cut(leader.id, behind)
  const reader = other ?? (await clerk('reader 2', [behind]))
  const { told } = following(reader, { key: 'k' }, { after: 5 })
  await t.advance(300)
  t.heal()
  await t.advance(3000)
  expect(told.map(({ revision }) => revision)).toEqual([6])
  await t.close()
})

test('a watch from now on, at a server that is behind, begins after all that was acknowledged before it was asked for (§8)', async () => {
  const { t, clerk } = await kvCluster()
  const leader = await t.leader()
  const behind = t.except(leader)[0] as string
  const kv = await clerk('writer', t.except(behind))
  await t.settle(kv.put('k', 'old'))
  await t.advance(500)
  // Deaf to the leader, but not to clients.
  const reader = await clerk('reader', [behind])
  for (const other of t.except(behind)) t.network.cut(other, behind)
  for (let n = 0; n < 5; n++) await t.settle(kv.put('k', `new ${n}`))
  const { told } = following(reader, { key: 'k' })
  await t.advance(300)
  t.heal()
  await t.advance(5000)
  await t.settle(kv.put('k', 'newest'))
  await t.advance(1000)
  expect(told.map(({ revision }) => revision)).toEqual([7])
  await t.close()
})

test('a reader slower than the changes gets them all, out of the history', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  const watch = kv.watch({ prefix: '' }, { after: 0 })[Symbol.asyncIterator]()
  const value = 'x'.repeat(20_000)
  for (let n = 0; n < 60; n++) await t.settle(kv.put(`k${n % 3}`, value))
  for (let n = 1; n <= 60; n++) {
    const { value: event } = await t.settle(watch.next())
    expect(event).toMatchObject({ revision: n })
    await t.advance(5)
  }
  await t.close()
})

test('a signal ends a watch with CANCELLED, and closing the clerk with CLOSED', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  const controller = new AbortController()
  const one = following(kv, { key: 'k' }, { signal: controller.signal })
  const two = following(kv, { key: 'k' })
  await t.advance(200)
  controller.abort()
  expect(await t.settle(one.end)).toMatchObject({ code: 'CANCELLED' })
  await kv.close()
  expect(await t.settle(two.end)).toMatchObject({ code: 'CLOSED' })
  await t.close()
})

async function changeAll(kv: Clerk, first: number, count: number): Promise<void> {
  const options = { timeout: 300_000 }
  for (let n = 0; n < count; n++) {
    const key = `k${(first + n) % 8}`
    if (n % 3 === 0) await kv.put(key, `put ${n}`, options)
    else if (n % 3 === 1) await kv.append(key, `append ${n}`, options)
    // Nothing to delete is no change: a put keeps the count right.
    else if (!(await kv.delete(key, options)).deleted) await kv.put(key, 'instead', options)
  }
}

/** Servers die and come back, one after the other. */
async function killServers({ t, restart }: KvCluster, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await t.advance(300)
    const id = n % 2 === 0 ? (await t.leader()).id : t.ids[n % t.ids.length]!
    await t.crash(id)
    await t.advance(700)
    await restart(id)
  }
}

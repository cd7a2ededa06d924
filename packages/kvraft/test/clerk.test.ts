import { RaftError } from '@lab/raft'
import { expect, test } from 'vitest'
import type { Clerk } from '../src/clerk.ts'
import { kvCluster, type KvCluster } from './kv-cluster.ts'

/** The simulator judges the histories of such clerks over fifty seeds; here it is plain what must come out. */
const SEEDS = process.env['LAB_LONG'] === '1' ? [1, 2, 3, 4, 5] : [1, 2]

test('a clerk puts, appends, gets and deletes; each change tells its revision', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  expect(await t.settle(kv.get('ship'))).toBeUndefined()
  expect(await t.settle(kv.put('ship', 'Peq'))).toEqual({ revision: 1, version: 1 })
  expect(await t.settle(kv.append('ship', 'uod'))).toEqual({ revision: 2, version: 2 })
  expect(await t.settle(kv.getText('ship'))).toBe('Pequod')
  const { entry, revision } = await t.settle(kv.getEntry('ship'))
  expect({ revision, version: entry?.version, changed: entry?.changed }).toEqual({
    revision: 2,
    version: 2,
    changed: 2,
  })
  expect(await t.settle(kv.delete('ship'))).toEqual({ revision: 3, deleted: true })
  expect(await t.settle(kv.delete('ship'))).toEqual({ revision: 3, deleted: false })
  await t.close()
})

test('an append past 1 MiB is refused by the store, and the refusal says that nothing was changed', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  await t.settle(kv.put('k', new Uint8Array(1024 * 1024)))
  await expect(t.settle(kv.append('k', 'x'))).rejects.toMatchObject({
    code: 'TOO_LARGE',
    outcome: 'not-applied',
  })
  await t.close()
})

test.each(SEEDS)(
  'appends count exactly once while messages are lost and leaders die (thesis §6.3), seed %i',
  async (seed) => {
    const cluster = await kvCluster({ seed, snapshotEveryBytes: 4000 })
    const { t, clerk } = cluster
    const clerks = await Promise.all(['a', 'b', 'c'].map((name) => clerk(name)))
    t.network.set({ lossRate: 0.1, reordering: true })
    const appended = Promise.all(clerks.map((kv, at) => appendAll(kv, 'abc'[at] ?? '', 30)))
    await killLeaders(cluster, 3)
    await t.settle(appended, 600_000)
    t.network.set({ lossRate: 0, reordering: false })

    const text = (await t.settle(clerks[0]!.getText('log'))) ?? ''
    const pieces = text.split(';').slice(0, -1)
    for (const name of 'abc') {
      const own = pieces.filter((piece) => piece.startsWith(name))
      expect(own).toEqual(Array.from({ length: 30 }, (_, n) => `${name}${n}`))
    }
    expect(pieces).toHaveLength(90)
    await t.close()
  },
)

test.each(SEEDS)(
  'a get sees every put acknowledged before it, also when the old leader is cut off with it (§8), seed %i',
  async (seed) => {
    const { t, clerk } = await kvCluster({ seed })
    const writer = await clerk('writer')
    const reader = await clerk('reader')
    await t.settle(writer.put('x', '0'))
    const old = await t.leader()
    // The reader reaches the old leader only, and the old leader nobody else: it must not answer from its own state.
    for (const id of t.except(old)) {
      t.network.cut(old.id, id)
      t.network.cut(id, old.id)
      t.network.cut('reader', id)
      t.network.cut(id, 'reader')
    }
    t.network.cut('writer', old.id)
    t.network.cut(old.id, 'writer')
    await t.settle(writer.put('x', '1'))
    const read = reader.getText('x', { timeout: 20_000 })
    await t.advance(3000)
    t.heal()
    expect(await t.settle(read)).toBe('1')
    await t.close()
  },
)

test.each(SEEDS)('gets never go back while leaders die, seed %i', async (seed) => {
  const cluster = await kvCluster({ seed })
  const { t, clerk } = cluster
  const [writer, ...readers] = await Promise.all(['w', 'r1', 'r2'].map((name) => clerk(name)))
  let acknowledged = 0
  let begun = 0
  let done = false
  const write = async (): Promise<void> => {
    for (let n = 1; n <= 60; n++) {
      begun = n
      await writer!.put('n', String(n))
      acknowledged = n
    }
    done = true
  }
  const read = async (kv: Clerk): Promise<void> => {
    while (!done) {
      const atLeast = acknowledged
      const seen = Number((await kv.getText('n')) ?? '0')
      expect(seen).toBeGreaterThanOrEqual(atLeast)
      expect(seen).toBeLessThanOrEqual(begun)
    }
  }
  const work = Promise.all([write(), ...readers.map(read)])
  await killLeaders(cluster, 2)
  await t.settle(work, 600_000)
  await t.close()
})

test('what was acknowledged survives the death of all servers, with a snapshot in between (§7)', async () => {
  const { t, clerk } = await kvCluster({ snapshotEveryBytes: 2000 })
  const kv = await clerk('clerk')
  for (let n = 0; n < 60; n++) await t.settle(kv.append(`key${n % 3}`, `${n};`))
  await t.until(() => t.nodes.every((node) => node.status().snapshotIndex > 0))
  for (const id of t.ids) await t.crash(id)
  for (const id of t.ids) await t.restart(id)
  const expected = (key: number): string => Array.from({ length: 20 }, (_, n) => `${3 * n + key};`).join('')
  for (const key of [0, 1, 2]) expect(await t.settle(kv.getText(`key${key}`))).toBe(expected(key))
  expect(await t.settle(kv.getEntry('key0'))).toMatchObject({ revision: 60, entry: { version: 20 } })
  await t.close()
})

test('without a majority a write fails in time and says what is known of it; a get just fails', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  await t.settle(kv.put('k', 'v'))
  const leader = await t.leader()
  for (const id of t.except(leader)) await t.crash(id)
  const put = await t.settle(kv.put('k', 'w', { timeout: 3000 }).catch((error: unknown) => error))
  expect(put).toBeInstanceOf(RaftError)
  // The leader had appended it: it may yet be applied.
  expect(put).toMatchObject({ code: 'TIMEOUT', outcome: 'unknown' })
  const get = await t.settle(kv.get('k', { timeout: 3000 }).catch((error: unknown) => error))
  expect(get).toMatchObject({ code: 'TIMEOUT', outcome: undefined })
  for (const id of t.except(leader)) await t.restart(id)
  await t.close()
})

test('equal seeds give equal traces', async () => {
  const run = async (): Promise<string> => {
    const cluster = await kvCluster({ seed: 11, snapshotEveryBytes: 4000 })
    const { t, clerk } = cluster
    const kv = await clerk('clerk')
    t.network.set({ lossRate: 0.1, reordering: true })
    const appended = appendAll(kv, 'a', 20)
    await killLeaders(cluster, 2)
    await t.settle(appended, 600_000)
    await t.close()
    return t.trace.map((event) => JSON.stringify(event)).join('\n')
  }
  const first = await run()
  expect(first.length).toBeGreaterThan(1000)
  expect((await run()) === first).toBe(true)
})

async function appendAll(kv: Clerk, name: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) await kv.append('log', `${name}${n};`, { timeout: 300_000 })
}

/** A leader dies and comes back, `times` times over. */
async function killLeaders({ t }: KvCluster, times: number): Promise<void> {
  for (let n = 0; n < times; n++) {
    await t.advance(300)
    const { id } = await t.leader()
    await t.crash(id)
    await t.advance(700)
    await t.restart(id)
  }
}

test('clerks that only read leave nothing behind: no entry in the log, and so no session in anybody’s memory (thesis §6.4)', async () => {
  const { t, clerk } = await kvCluster()
  const writer = await clerk('writer')
  await t.settle(writer.put('k', 'v'))
  const before = (await t.leader()).status().lastIndex
  for (let reader = 0; reader < 20; reader++) {
    const kv = await clerk(`reader${String(reader)}`)
    expect(await t.settle(kv.getText('k'))).toBe('v')
    expect((await t.settle(kv.scan({ prefix: '' }))).entries).toHaveLength(1)
    await t.settle(kv.close())
  }
  expect((await t.leader()).status().lastIndex).toBe(before)
  await t.close()
})

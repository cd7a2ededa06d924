/** cas, txn, scan and TTL through clerks, in virtual time. */
import { expect, test } from 'vitest'
import { kvCluster } from './kv-cluster.ts'
import { changesOf } from './watch-checker.ts'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

test('cas sets a key that is as expected, by version, by absence and by last change; else it tells what is there', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  expect(await t.settle(kv.cas('k', 'a', { version: 1 }))).toEqual({
    ...{ swapped: false, revision: 0, version: 0, changed: 0 },
  })
  expect(await t.settle(kv.cas('k', 'a', { version: 0 }))).toEqual({ swapped: true, revision: 1, version: 1 })
  expect(await t.settle(kv.cas('k', 'b', { version: 0 }))).toEqual({
    ...{ swapped: false, revision: 1, version: 1, changed: 1 },
  })
  await t.settle(kv.delete('k'))
  await t.settle(kv.put('k', 'again'))
  // The version is 1 once more; the revision is not.
  expect(await t.settle(kv.cas('k', 'c', { changed: 1 }))).toMatchObject({ swapped: false, changed: 3 })
  expect(await t.settle(kv.cas('k', 'c', { changed: 3 }))).toMatchObject({ swapped: true, revision: 4 })
  expect(await t.settle(kv.getText('k'))).toBe('c')
  await t.close()
})

test.each([1, 2])(
  'of many who increment by cas while leaders die, each counts once, seed %i',
  async (seed) => {
    const { t, clerk, restart } = await kvCluster({ seed })
    const clerks = await Promise.all(['a', 'b', 'c'].map((name) => clerk(name)))
    t.network.set({ lossRate: 0.1 })
    const increments = clerks.map(async (kv) => {
      for (let done = 0; done < 10;) {
        const { entry } = await kv.getEntry('n', { timeout: 100_000 })
        const value = String(Number(entry === null ? 0 : textOf(entry.value)) + 1)
        const expected = { version: entry?.version ?? 0 }
        if ((await kv.cas('n', value, expected, { timeout: 100_000 })).swapped) done++
      }
    })
    const all = Promise.all(increments)
    await t.advance(400)
    const { id } = await t.leader()
    await t.crash(id)
    await t.advance(700)
    await restart(id)
    await t.settle(all, 600_000)
    expect(await t.settle(clerks[0]!.getText('n'))).toBe('30')
    await t.close()
  },
)

test('a transaction does one branch, whole, in order, and tells what each operation gave', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  await t.settle(kv.put('from', '10'))
  const transfer = {
    if: [
      { key: 'from', value: '10' },
      { key: 'to', exists: false },
    ],
    then: [
      { op: 'put', key: 'from', value: '0' },
      { op: 'append', key: 'to', value: '10' },
      { op: 'get', key: 'from' },
      { op: 'delete', key: 'nothing' },
    ],
    else: [{ op: 'get', key: 'to' }],
  } as const
  const first = await t.settle(kv.txn(transfer))
  expect(first).toMatchObject({ succeeded: true, revision: 3 })
  expect(first.results).toMatchObject([
    { status: 'written', revision: 2, version: 2 },
    { status: 'written', revision: 3, version: 1 },
    { status: 'got', entry: { version: 2, changed: 2 } },
    { status: 'not-found', revision: 3 },
  ])
  const again = await t.settle(kv.txn(transfer))
  expect(again).toMatchObject({ succeeded: false, revision: 3, results: [{ status: 'got' }] })
  await t.close()
})

test('a transaction that would make a value too large, or read too much, changes nothing', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  await t.settle(kv.put('large', new Uint8Array(1024 * 1024)))
  const append = { op: 'append', key: 'large', value: 'x' } as const
  const put = { op: 'put', key: 'other', value: 'y' } as const
  const refused = { code: 'TOO_LARGE', outcome: 'not-applied' }
  await expect(t.settle(kv.txn({ then: [put, append] }))).rejects.toMatchObject(refused)
  await expect(t.settle(kv.txn({ then: [put, { op: 'get', key: 'large' }] }))).rejects.toMatchObject(refused)
  expect(await t.settle(kv.get('other'))).toBeUndefined()
  await t.close()
})

test('what is no transaction, range or time to live is refused before it is sent', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  const put = { op: 'put', key: 'k', value: '' } as const
  await expect(kv.txn({ then: [put, { op: 'delete', key: 'k' }] })).rejects.toMatchObject({ code: 'BAD_TXN' })
  await expect(kv.txn({ if: Array.from({ length: 129 }, () => ({ key: 'k', version: 0 })) })).rejects.toThrow(
    /up to 128/,
  )
  await expect(kv.put('k', '', { ttl: 0 })).rejects.toMatchObject({ code: 'BAD_TTL', outcome: 'not-applied' })
  await expect(kv.scan({ prefix: '' }, { limit: 0 })).rejects.toMatchObject({ code: 'BAD_RANGE' })
  await expect(kv.scan({ key: 'a', prefix: 'a' })).rejects.toMatchObject({ code: 'BAD_RANGE' })
  await t.close()
})

test('a scan gives keys in the order of bytes, page by page, within prefix or bounds', async () => {
  const { t, clerk } = await kvCluster()
  const kv = await clerk('clerk')
  const keys = ['a', 'b', 'b/', 'b/1', 'b/2', 'b/é', 'b0', 'c']
  for (const key of [...keys].reverse()) await t.settle(kv.put(key, `value of ${key}`))
  const first = await t.settle(kv.scan({ prefix: 'b/' }, { limit: 2 }))
  expect(first.entries.map(({ key }) => textOf(key))).toEqual(['b/', 'b/1'])
  expect(first.revision).toBe(8)
  const second = await t.settle(kv.scan(first.next!, { limit: 2 }))
  expect(second.entries.map(({ key, value }) => [textOf(key), textOf(value)])).toEqual([
    ['b/2', 'value of b/2'],
    ['b/é', 'value of b/é'],
  ])
  expect(second.next).toBeNull()
  const all = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const { key, value } of kv.entries({ prefix: '' }, { limit: 3, keysOnly: true })) {
      expect(value.length).toBe(0)
      found.push(textOf(key))
    }
    return found
  }
  expect(await t.settle(all())).toEqual(keys)
  const bounded = await t.settle(kv.scan({ from: 'b', to: 'b0' }))
  expect(bounded.entries).toHaveLength(5)
  const one = await t.settle(kv.scan({ key: 'b' }))
  expect(one.entries.map(({ key }) => textOf(key))).toEqual(['b'])
  await t.close()
})

test('a key expires after its time and not before, with a revision of its own; a put without one makes it stay', async () => {
  const { t, clerk, store } = await kvCluster()
  const kv = await clerk('clerk')
  await t.settle(kv.put('goes', 'x', { ttl: 2000 }))
  await t.settle(kv.put('stays', 'x', { ttl: 2000 }))
  const { entry } = await t.settle(kv.getEntry('goes'))
  expect(entry?.expires).toBeGreaterThan(0)
  await t.settle(kv.put('stays', 'y'))
  await t.settle(kv.append('goes', 'y'))
  await t.advance(1500)
  expect(await t.settle(kv.getText('goes'))).toBe('xy')
  await t.advance(1000)
  expect(await t.settle(kv.get('goes'))).toBeUndefined()
  expect(await t.settle(kv.getText('stays'))).toBe('y')
  const last = changesOf(await store((await t.leader()).id)).at(-1)
  expect(last).toMatchObject({ type: 'expire', revision: 5, version: 0 })
  await t.close()
})

test('keys expire also when the leader that knew their time is dead, and never early, with a snapshot in between', async () => {
  const { t, clerk, restart } = await kvCluster({ snapshotEveryBytes: 500 })
  const kv = await clerk('clerk')
  for (let n = 0; n < 20; n++) await t.settle(kv.put(`k${n}`, 'x', { ttl: 5000 + 100 * n }))
  for (const id of t.ids) await t.crash(id)
  await t.advance(2000)
  for (const id of t.ids) await restart(id)
  const expires = new Map<string, number>()
  const { entries: kept } = await t.settle(kv.scan({ prefix: '' }))
  for (const { key, expires: at } of kept) expires.set(textOf(key), at ?? 0)
  expect(expires.size).toBe(20)
  for (let round = 0; round < 30; round++) {
    const now = t.clock.wallTime()
    const { entries } = await t.settle(kv.scan({ prefix: '' }))
    const there = new Set(entries.map(({ key }) => textOf(key)))
    for (const [key, at] of expires) if (at > t.clock.wallTime()) expect(there.has(key)).toBe(true)
    for (const key of there) expect((expires.get(key) ?? 0) + 1000).toBeGreaterThan(now)
    await t.advance(300)
  }
  expect((await t.settle(kv.scan({ prefix: '' }))).entries).toEqual([])
  await t.close()
})

test('a thousand keys that expire at once go in commands of some hundreds, in the order of keys', async () => {
  const { t, clerk, store } = await kvCluster({ servers: 1 })
  const kv = await clerk('clerk')
  const puts = Array.from({ length: 1000 }, (_, n) =>
    kv.put(`k${String(n).padStart(4, '0')}`, '', { ttl: 3000 }),
  )
  await t.settle(Promise.all(puts))
  await t.advance(5000)
  const kept = await store('n1')
  expect(kept.size).toBe(0)
  expect(kept.nextExpiry).toBe(Infinity)
  const expired = changesOf(kept).filter(({ type }) => type === 'expire')
  expect(expired).toHaveLength(1000)
  await t.close()
})

import { assert } from '@lab/rpc'
import { firstConfig, type Config } from '@lab/shardctrler'
import { describe, expect, test } from 'vitest'
import { answerPage, answerTaken } from '../src/answers.ts'
import { ShardMachine } from '../src/machine.ts'
import { pageAnswerCodec } from '../src/shard-service.ts'
import { sharedConfigs } from '../src/shared-configs.ts'
import { Machine, config } from './machines.ts'

const CLIENT = Uint8Array.from({ length: 16 }, (_, at) => at + 1)
const FIRST = new Uint8Array(0)

/** Group 100 has shard 0 with a key and a session, and gives it to group 101, which waits. */
function moving(): { source: Machine; destination: Machine } {
  const source = new Machine(100)
  const destination = new Machine(101)
  for (const group of [source, destination]) group.configure(config(1, 100, 100))
  source.open(CLIENT)
  source.append(CLIENT, 1, 'x')
  source.put('d', 'y')
  for (const group of [source, destination]) group.configure(config(2, 101, 100))
  return { source, destination }
}

function moved(): { source: Machine; destination: Machine } {
  const groups = moving()
  for (const page of groups.source.pages(2)) groups.destination.take(page)
  return groups
}

describe('configurations', () => {
  test('are applied one by one: one that does not follow is refused', () => {
    const group = new Machine(100)
    expect(group.configure(config(2, 100, 100))).toBe('refused')
    expect(group.configure(config(1, 100, 100))).toBe('done')
    expect(group.configure(config(1, 101, 101))).toBe('refused')
    expect(group.configure(config(3, 101, 101))).toBe('refused')
    expect(group.machine.migration.num).toBe(1)
  })

  test('wait for the shards of the one before', () => {
    const { source, destination } = moving()
    expect(destination.configure(config(3, 100, 100))).toBe('refused')
    for (const page of source.pages(2)) destination.take(page)
    expect(destination.configure(config(3, 100, 100))).toBe('done')
  })

  test('that give back what is still to be handed over wait until it is', () => {
    const { source, destination } = moved()
    expect(source.configure(config(3, 100, 100))).toBe('refused')
    destination.configure(config(3, 100, 100))
    expect(source.delete(2)).toBe('done')
    expect(source.configure(config(3, 100, 100))).toBe('done')
    for (const page of destination.pages(3)) source.take(page)
    expect(source.get('d')).toBe('y')
  })

  test('that name a group twice in a row change nothing of what it serves', () => {
    const group = new Machine(100)
    group.configure(config(1, 100, 0), config(2, 100, 101))
    expect(group.put('b', '1')).toMatchObject({ status: 'written' })
    group.configure(config(3, 100, 101))
    expect(group.get('b')).toBe('1')
  })
})

describe('a shard on its way', () => {
  test('is answered by nobody from the freeze on until all of it has arrived', () => {
    const { source, destination } = moving()
    expect(source.get('d')).toBe('elsewhere')
    expect(source.put('d', 'z')).toBe('elsewhere')
    expect(source.append(CLIENT, 1, 'x')).toBe('elsewhere')
    const pages = source.pages(2, 20)
    expect(pages.length).toBeGreaterThan(3)
    for (const page of pages) {
      expect(destination.get('d')).toBe('elsewhere')
      expect(destination.put('d', 'z')).toBe('elsewhere')
      expect(destination.take(page)).toBe('done')
    }
    expect(destination.get('d')).toBe('y')
  })

  test('holds up no other shard', () => {
    const { source, destination } = moving()
    expect(source.put('c', '1', 1)).toMatchObject({ status: 'written' })
    destination.configure(config(3, 101, 101))
    expect(source.get('c', 1)).toBe('1')
  })

  test('keeps its sessions: a write that is sent again counts once, and gives the answer of the first time', () => {
    const { destination } = moved()
    expect(destination.append(CLIENT, 1, 'x')).toEqual({ status: 'written', revision: 1, version: 1 })
    expect(destination.get('b')).toBe('x')
    destination.append(CLIENT, 2, 'z')
    expect(destination.get('b')).toBe('xz')
  })

  test('keeps versions, revisions and the latest changes', () => {
    const { source, destination } = moved()
    const [before, after] = [source, destination].map(({ machine }) => machine.shards.get(0)?.store)
    expect(after?.revision).toBe(before?.revision)
    expect(after?.firstRevision).toBe(1)
    expect(after?.get(new TextEncoder().encode('d'))).toEqual(before?.get(new TextEncoder().encode('d')))
  })

  test('lets keys live as long as they had left, though the other log has another time', () => {
    const source = new Machine(100)
    const destination = new Machine(101)
    destination.time = 5_000
    for (const group of [source, destination]) group.configure(config(1, 100, 100))
    source.put('b', '1', 0, 500)
    source.time += 200
    for (const group of [source, destination]) group.configure(config(2, 101, 100))
    const arrived = destination.time
    for (const page of source.pages(2)) destination.take(page)
    const left = (destination.machine.shards.get(0)?.store.nextExpiry ?? 0) - arrived
    expect(left).toBeGreaterThan(290)
    expect(left).toBeLessThan(310)
    destination.time = arrived + 280
    destination.expire()
    expect(destination.get('b')).toBe('1')
    destination.time = arrived + 320
    destination.expire()
    expect(destination.get('b')).toBeNull()
  })

  test('keeps the age of sessions, though the other log has another time', () => {
    const { source, destination } = moving()
    destination.time = source.time + 24 * 3_600_000
    for (const page of source.pages(2)) destination.take(page)
    // Opening another one forgets those that were idle for an hour.
    destination.open(Uint8Array.from(CLIENT, (byte) => byte + 1))
    expect(destination.append(CLIENT, 1, 'x')).toEqual({ status: 'written', revision: 1, version: 1 })
  })
})

describe('pages', () => {
  test('are taken in order, each once, and only of the configuration that is waited for', () => {
    const { source, destination } = moving()
    const pages = source.pages(2, 20)
    const [first, second] = pages as [(typeof pages)[number], (typeof pages)[number]]
    expect(destination.take(second)).toBe('refused')
    expect(destination.take({ ...first, num: 1 })).toBe('refused')
    expect(destination.take(first)).toBe('done')
    expect(destination.take(first)).toBe('refused')
    for (const page of pages.slice(1)) expect(destination.take(page)).toBe('done')
    expect(destination.take(pages.at(-1) as typeof first)).toBe('refused')
    expect(destination.get('d')).toBe('y')
  })

  test('that are no shard are refused, and what came before them is forgotten', () => {
    const { source, destination } = moving()
    const pages = source.pages(2, 20)
    for (const page of pages.slice(0, -1)) destination.take(page)
    const last = pages.at(-1) as (typeof pages)[number]
    expect(destination.take({ ...last, store: Uint8Array.of(0, 0, 0, 1, 9) })).toBe('refused')
    expect(destination.machine.arrivals.size).toBe(0)
    for (const page of source.pages(2)) destination.take(page)
    expect(destination.get('d')).toBe('y')
  })

  test('that end too early do not make a shard', () => {
    const { source, destination } = moving()
    const [first] = source.pages(2, 30)
    expect(destination.take({ ...(first as NonNullable<typeof first>), next: null })).toBe('refused')
    expect(destination.get('d')).toBe('elsewhere')
  })

  test('that were changed on the way are known by their checksum', () => {
    const { source } = moving()
    const bytes = pageAnswerCodec
      .encode(answerPage(source.machine, { shard: 0, num: 2, cursor: FIRST }))
      .slice()
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    expect(pageAnswerCodec.decode(bytes)).toEqual({ kind: 'damaged' })
  })

  test('go on where they stopped at another replica, on both sides, out of snapshots too', async () => {
    const { source, destination } = moving()
    const pages = source.pages(2, 20)
    let now = destination
    for (const [at, page] of pages.entries()) {
      expect(now.take(page)).toBe('done')
      if (at === pages.length - 1) break
      now = await now.copy()
      const other = await source.copy()
      expect(other.pages(2, 20)[at + 1]).toEqual(pages[at + 1])
    }
    expect(now.get('d')).toBe('y')
    expect(now.append(CLIENT, 1, 'x')).toEqual({ status: 'written', revision: 1, version: 1 })
  })
})

describe('the source', () => {
  test('keeps the shard until it is told to delete it, as of that configuration', () => {
    const { source } = moved()
    expect(source.delete(1)).toBe('refused')
    expect(source.pages(2)).toHaveLength(1)
    expect(source.delete(2)).toBe('done')
    expect(source.delete(2)).toBe('refused')
    expect(source.machine.shards.has(0)).toBe(false)
    expect(source.machine.shards.has(1)).toBe(true)
  })

  test('says how much memory it has dropped, when it has', () => {
    const { source } = moved()
    const held = source.machine.shards.get(0)?.store.bytes
    const dropped: number[] = []
    source.machine.listen({
      ...{ moved: () => undefined, changed: () => undefined },
      dropped: (bytes) => dropped.push(bytes),
    })
    source.delete(1)
    expect(dropped).toEqual([])
    source.delete(2)
    expect(held).toBeGreaterThan(0)
    expect(dropped).toEqual([held])
  })

  test('answers a pull after the deletion with "handed over", never with an empty shard', () => {
    const { source } = moved()
    source.delete(2)
    expect(answerPage(source.machine, { shard: 0, num: 2, cursor: FIRST })).toEqual({ kind: 'handed-over' })
  })

  test('answers a pull before it has frozen the shard with "not yet"', () => {
    const group = new Machine(100)
    group.configure(config(1, 100, 100))
    group.put('b', '1')
    expect(answerPage(group.machine, { shard: 0, num: 2, cursor: FIRST })).toEqual({ kind: 'not-yet' })
  })

  test('deletes nothing that it serves', () => {
    const group = new Machine(100)
    group.configure(config(1, 100, 100))
    expect(group.delete(1)).toBe('refused')
    expect(group.put('b', '1')).toMatchObject({ status: 'written' })
  })
})

describe('the destination', () => {
  test('says that it has taken a shard once all of it is in its log, and from then on', () => {
    const { source, destination } = moving()
    const moves = [{ shard: 0, num: 2 }]
    for (const page of source.pages(2, 20)) {
      expect([...answerTaken(destination.machine, { moves })]).toEqual([0])
      destination.take(page)
    }
    expect([...answerTaken(destination.machine, { moves })]).toEqual([1])
    destination.configure(config(3, 102, 100))
    expect([...answerTaken(destination.machine, { moves })]).toEqual([1])
    expect([...answerTaken(new Machine(101).machine, { moves })]).toEqual([0])
  })

  test('of a shard that nobody had creates it empty', () => {
    const group = new Machine(100)
    group.configure(config(1, 100, 0))
    expect(group.get('b')).toBeNull()
    expect(group.get('c', 1)).toBe('elsewhere')
  })
})

describe('when all groups have left', () => {
  test('the last owner keeps the data, and serves it again when it returns', () => {
    const group = new Machine(100)
    group.configure(config(1, 100, 100))
    group.put('b', '1')
    group.configure(config(2, 0, 0))
    expect(group.get('b')).toBe('elsewhere')
    group.configure(config(3, 0, 0), config(4, 100, 100))
    expect(group.get('b')).toBe('1')
  })

  test('another group takes the data from the last owner, also out of a snapshot', async () => {
    const source = new Machine(100)
    const destination = new Machine(101)
    const configs = [config(1, 100, 100), config(2, 0, 0), config(3, 101, 101)]
    source.configure(configs[0] as (typeof configs)[0])
    source.put('b', '1')
    source.configure(...configs.slice(1))
    destination.configure(...configs.slice(0, 2))
    const copy = await destination.copy()
    copy.configure(...configs.slice(2))
    expect(copy.get('b')).toBe('elsewhere')
    for (const page of source.pages(3)) copy.take(page)
    expect(copy.get('b')).toBe('1')
  })
})

test('a key of another shard is refused, and nothing is changed', () => {
  const group = new Machine(100)
  group.configure(config(1, 100, 100))
  expect(() => group.put('c', '1', 0)).toThrow('a key of shard 1')
  expect(group.machine.shards.get(0)?.store.revision).toBe(0)
})

test('a group out of its snapshot is the group, whatever its shards wait for', async () => {
  for (const group of Object.values({ ...moving(), ...moved() })) {
    const copy = await group.copy()
    expect(copy.bytes).toEqual(group.bytes)
    expect(copy.machine.migration.num).toBe(2)
  }
})

test('the more shards there are, the fewer changes each remembers, also one that arrives, and in every replica', async () => {
  const many = (num: number, owner: number): Config => ({
    ...firstConfig(1000, 'first-byte'),
    num,
    shards: Array.from({ length: 1000 }, (_, shard) => (shard === 98 ? owner : 100)),
    groups: { 100: ['memory://100'], 101: ['memory://101'] },
  })
  const remembered = ({ machine }: Machine): number => {
    const { store } = machine.shards.get(98) ?? { store: null }
    return store === null ? 0 : store.revision - store.firstRevision + 1
  }
  const [source, destination] = [100, 101].map((gid) => new Machine(new ShardMachine({ gid })))
  assert(source !== undefined && destination !== undefined, 'two groups')
  for (const group of [source, destination]) group.configure(many(1, 100))
  for (let n = 0; n < 200; n++) source.put('b', 'x'.repeat(1000), 98)
  expect(remembered(source)).toBe(64)
  for (const group of [source, destination]) group.configure(many(2, 101))
  const [first, ...others] = source.pages(2, 1000, 98)
  assert(first !== undefined && others.length > 1, 'several pages')
  destination.take(first)
  const copy = await destination.copy(new ShardMachine({ gid: 101 }))
  for (const replica of [destination, copy]) {
    for (const page of others) replica.take(page)
    for (let n = 0; n < 200; n++) replica.put('b', 'y'.repeat(500), 98)
    expect(remembered(replica)).toBe(128)
  }
  expect(copy.bytes).toEqual(destination.bytes)
})

test('groups of a process share one configuration, and each new one is read for what it is', () => {
  const configs = sharedConfigs()
  const [first, second] = [config(1, 100, 101), config(2, 101, 101)]
  const read = configs.decode(configs.encode(first).slice())
  expect(read).toEqual(first)
  expect(configs.decode(configs.encode(first).slice())).toBe(read)
  expect(configs.decode(configs.encode(second))).toEqual(second)
  expect(configs.decode(configs.encode(first))).toEqual(first)
})

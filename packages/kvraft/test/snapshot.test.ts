import { ProtocolError, seededRandom } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandCodec, type Command } from '../src/commands.ts'
import { HEADER_BYTES } from '../src/snapshot-format.ts'
import { KvStore } from '../src/store.ts'
import { anyCommand, bytes } from './arbitraries.ts'
import { apply } from './typed-store.ts'

const anyCommands = fc.array(anyCommand, { maxLength: 40 })

test('a restored store answers and goes on as the first one, however the snapshot was cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyCommands,
      anyCommands,
      fc.integer({ min: 1, max: 50 }),
      async (before, after, size) => {
        const first = storeOf(before)
        const second = new KvStore()
        await second.restore(cut(joined(first.snapshot()), size))
        expect(contents(second)).toEqual(contents(first))
        for (const command of after) expect(apply(second, command)).toEqual(apply(first, command))
        expect(contents(second)).toEqual(contents(first))
      },
    ),
  )
})

test('records longer and shorter than what is joined where a chunk ends are read right, however large the chunks', async () => {
  const first = new KvStore()
  for (let n = 0; n < 60; n++) {
    const value = new Uint8Array([10, 700, 3900, 9000][n % 4] ?? 0).fill(n)
    apply(first, { op: 'put', key: new TextEncoder().encode(`key ${String(n).padStart(2, '0')}`), value })
  }
  const whole = joined(first.snapshot())
  for (const size of [500, 4095, 4096, 4097, 9500, 65_536, whole.length - 1]) {
    const second = new KvStore()
    await second.restore(cut(whole, size))
    expect(Buffer.compare(joined(second.snapshot()), whole), `chunks of ${String(size)}`).toBe(0)
  }
})

test('a store made of the bytes of a snapshot changes as the one that gave it, while snapshots are drawn of it', async () => {
  const random = seededRandom(7)
  const anyKey = (): Uint8Array => bytesOf(`key ${String(random.integer(0, 700)).padStart(4, '0')}`)
  const anyChange = (): Command => {
    const length = [8, 8, 300, 300, 2000, 9000][random.integer(0, 6)] ?? 0
    const value = new Uint8Array(random.integer(0, length)).fill(random.integer(0, 256))
    const op = (['put', 'put', 'append', 'delete'] as const)[random.integer(0, 4)] ?? 'put'
    return op === 'delete' ? { op, key: anyKey() } : { op, key: anyKey(), value }
  }
  const first = new KvStore({ historyBytes: 20_000 })
  for (let n = 0; n < 1500; n++) apply(first, anyChange())
  const second = new KvStore()
  await second.restore(cut(joined(first.snapshot()), 150_000))
  for (let round = 0; round < 3; round++) {
    const drawn = [first, second].map((store) => ({
      chunks: store.snapshot()[Symbol.iterator](),
      all: [] as Uint8Array[],
    }))
    for (let more = true; more;) {
      more = false
      for (const { chunks, all } of drawn) {
        const next = chunks.next()
        if (next.done === true) continue
        all.push(next.value.slice())
        more = true
      }
      for (let n = 0; n < 50; n++) {
        const change = commandCodec.encode(anyChange())
        const results = [first, second].map((store) => Buffer.from(store.apply(change, { time: 1 })))
        expect(Buffer.compare(results[0] as Buffer, results[1] as Buffer)).toBe(0)
      }
    }
    const [ours, theirs] = drawn.map(({ all }) => joined(all))
    expect(Buffer.compare(ours as Uint8Array, theirs as Uint8Array)).toBe(0)
  }
  expect(Buffer.compare(joined(second.snapshot()), joined(first.snapshot()))).toBe(0)
})

test('a snapshot is of the moment when it was asked for, though commands are applied while it is drawn', async () => {
  const key = new Uint8Array(10).fill(7)
  const store = new KvStore()
  for (let i = 0; i < 50; i++)
    apply(store, { op: 'put', key: Uint8Array.of(i + 1), value: new Uint8Array(10_000).fill(i) })
  apply(store, { op: 'put', key, value: Uint8Array.of(1) })
  const expected = joined(storeCopy(store).snapshot())

  const chunks: Uint8Array[] = []
  for (const chunk of store.snapshot()) {
    chunks.push(chunk.slice())
    apply(store, { op: 'append', key, value: Uint8Array.of(2) })
    apply(store, { op: 'delete', key: Uint8Array.of(chunks.length + 40) })
    apply(store, { op: 'put', key: Uint8Array.of(200), value: Uint8Array.of(3) })
  }
  expect(chunks.length).toBeGreaterThan(5)
  expect(Buffer.compare(joined(chunks), expected)).toBe(0)

  function storeCopy(original: KvStore): KvStore {
    const copy = new KvStore()
    for (let i = 0; i < 50; i++)
      apply(copy, { op: 'put', key: Uint8Array.of(i + 1), value: new Uint8Array(10_000).fill(i) })
    apply(copy, { op: 'put', key, value: Uint8Array.of(1) })
    expect(copy.revision).toBe(original.revision)
    return copy
  }
})

test('chunks have some 64 KB, also when one value has a megabyte', () => {
  const store = storeOf([{ op: 'put', key: Uint8Array.of(1), value: new Uint8Array(1024 * 1024) }])
  for (const chunk of store.snapshot()) expect(chunk.length).toBeLessThanOrEqual(3 * 64 * 1024)
})

test('bytes that are no snapshot are refused with a ProtocolError and leave the store as it was', async () => {
  const whole = joined(storeOf([{ op: 'put', key: Uint8Array.of(1), value: bytesOf('value') }]).snapshot())
  const damaged = fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, byte]) => {
    const copy = whole.slice()
    copy[at] = byte
    return copy
  })
  const truncated = fc.nat(whole.length - 1).map((length) => whole.slice(0, length))
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes(0, 60), truncated, damaged), async (input) => {
      const store = storeOf([{ op: 'put', key: Uint8Array.of(9), value: bytesOf('old') }])
      try {
        await store.restore(cut(input, 7))
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
        expect(store.get(Uint8Array.of(9))?.value).toEqual(bytesOf('old'))
      }
    }),
    { numRuns: 1000 },
  )
})

test('a snapshot of another format is refused by its number', async () => {
  const whole = joined(new KvStore().snapshot())
  whole[0] = 2
  await expect(new KvStore().restore(cut(whole, 64))).rejects.toThrow(
    'a snapshot of format 2; this program reads 3',
  )
})

test('a snapshot cut short anywhere is never taken for a smaller store', async () => {
  const whole = joined(
    storeOf([1, 2, 3].map((n) => ({ op: 'put', key: Uint8Array.of(n), value: bytesOf('x') }))).snapshot(),
  )
  for (let length = 0; length < whole.length; length++)
    await expect(new KvStore().restore(cut(whole.slice(0, length), 5))).rejects.toThrow(ProtocolError)
})

test.each([
  ['twice', 1],
  ['after a later one', 0],
])('a key that stands in a snapshot %s is refused', async (_, key) => {
  const whole = joined(
    storeOf([1, 2, 3].map((n) => ({ op: 'put', key: Uint8Array.of(n), value: bytesOf('x') }))).snapshot(),
  )
  const second = HEADER_BYTES + 16 + 12 // a record has 16 bytes here, the key behind twelve of them
  expect(whole[second]).toBe(2)
  whole[second] = key
  await expect(new KvStore().restore(cut(whole, 64))).rejects.toThrow('out of order')
})

function storeOf(commands: readonly Command[]): KvStore {
  const store = new KvStore()
  for (const command of commands) apply(store, command)
  return store
}

function contents(store: KvStore): unknown {
  const everything = { from: new Uint8Array(0), to: new Uint8Array(0), limit: 4096, keysOnly: false }
  return { size: store.size, page: store.scan({ op: 'scan', ...everything }) }
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function joined(chunks: Iterable<Uint8Array>): Uint8Array {
  return new Uint8Array(Buffer.concat(Array.from(chunks, (chunk) => chunk.slice())))
}

async function* cut(all: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}

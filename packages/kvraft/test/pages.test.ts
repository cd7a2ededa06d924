import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Loader } from '../src/loader.ts'
import { FIRST_PAGE } from '../src/pages.ts'
import { KvStore } from '../src/store.ts'
import { anyCommand } from './arbitraries.ts'
import { apply } from './typed-store.ts'

const anyCommands = fc.array(anyCommand, { maxLength: 60 })
const OPTIONS = { hashSeed: 0 }

test('a store that came in pages answers and goes on as the one that was read, however large the pages', async () => {
  await fc.assert(
    fc.asyncProperty(anyCommands, anyCommands, fc.integer({ min: 1, max: 300 }), (before, after, size) => {
      const store = storeOf(before)
      const loader = new Loader(OPTIONS)
      for (const page of pagesOf(store, size)) expect(loader.read(page)).toBe(page.length)
      const moved = KvStore.loaded(loader)
      expect(bytesOf(moved.snapshot())).toEqual(bytesOf(store.snapshot()))
      for (const command of after) expect(apply(moved, command)).toEqual(apply(store, command))
      return Promise.resolve()
    }),
  )
})

test('a half loaded store in a snapshot is of the moment of the snapshot, and is loaded further where it stopped', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyCommands,
      fc.integer({ min: 1, max: 200 }),
      fc.nat(),
      async (commands, size, stop) => {
        const store = storeOf(commands)
        const pages = pagesOf(store, size)
        const at = 1 + (stop % pages.length)
        const loader = new Loader(OPTIONS)
        for (const page of pages.slice(0, at)) loader.read(page)
        const half = loader.snapshot()
        // What is loaded while the snapshot is drawn must not get into it.
        for (const page of pages.slice(at)) loader.read(page)
        const whole = KvStore.loaded(loader)
        apply(whole, { op: 'put', key: Uint8Array.of(1), value: Uint8Array.of(9) })
        const resumed = await Loader.resume(iterate(Array.from(half, (chunk) => chunk.slice())), OPTIONS)
        for (const page of pages.slice(at)) resumed.read(page)
        expect(bytesOf(KvStore.loaded(resumed).snapshot())).toEqual(bytesOf(store.snapshot()))
      },
    ),
  )
})

test('a page belongs to the log that it came in: it is as it was, whatever becomes of the store that has read it', () => {
  const store = new KvStore()
  for (let n = 0; n < 300; n++)
    apply(store, { op: 'put', key: Uint8Array.of(1 + (n >> 7), n), value: new Uint8Array(300) })
  const [page = new Uint8Array(0)] = pagesOf(store, 200_000)
  const before = page.slice()
  const loader = new Loader(OPTIONS)
  expect(loader.read(page)).toBe(page.length)
  apply(KvStore.loaded(loader), { op: 'put', key: Uint8Array.of(1, 1), value: new Uint8Array(300).fill(7) })
  expect(Buffer.compare(page, before)).toBe(0)
})

test('keys in pages keep the time that they had left, counted from the log time of the store that they come to', () => {
  const store = new KvStore()
  apply(store, { op: 'put', key: Uint8Array.of(1), value: Uint8Array.of(1), ttl: 500 }, 1_000_000)
  store.passTime(1_000_200)
  const loader = new Loader({ ...OPTIONS, now: 50 })
  for (const page of pagesOf(store, 100)) loader.read(page)
  expect(KvStore.loaded(loader).nextExpiry).toBe(350)
})

function storeOf(commands: readonly Parameters<typeof apply>[1][]): KvStore {
  const store = new KvStore()
  for (const command of commands) apply(store, command)
  return store
}

function pagesOf(store: KvStore, size: number): Uint8Array[] {
  const pages: Uint8Array[] = []
  for (let cursor: Uint8Array | null = FIRST_PAGE; cursor !== null;) {
    const page = store.page(cursor, size)
    pages.push(page.bytes)
    cursor = page.next
  }
  return pages
}

function bytesOf(chunks: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat(Array.from(chunks, (chunk) => chunk.slice()))
}

async function* iterate(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const chunk of chunks) yield await Promise.resolve(chunk)
}

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Command } from '../src/commands.ts'
import { VALUE_BYTES_MAX } from '../src/limits.ts'
import { KvStore } from '../src/store.ts'
import { anyCommand } from './arbitraries.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const put = (key: string, value: string): Command => ({ op: 'put', key: text(key), value: text(value) })
const append = (key: string, value: string): Command => ({ op: 'append', key: text(key), value: text(value) })
const remove = (key: string): Command => ({ op: 'delete', key: text(key) })

function read(store: KvStore, key: string): string | undefined {
  const entry = store.get(text(key))
  return entry === null ? undefined : new TextDecoder().decode(entry.value)
}

test('an append to a missing key makes it, as in the labs', () => {
  const store = new KvStore()
  expect(store.apply(append('k', 'a'))).toEqual({ status: 'written', revision: 1, version: 1 })
  store.apply(append('k', 'b'))
  expect(read(store, 'k')).toBe('ab')
})

test('an empty value is a value, and not a missing key', () => {
  const store = new KvStore()
  store.apply(put('k', ''))
  expect(read(store, 'k')).toBe('')
  expect(read(store, 'other')).toBeUndefined()
})

test('every change has the next revision, whatever its key; what changes nothing has none', () => {
  const store = new KvStore()
  expect(store.apply(put('a', '1')).revision).toBe(1)
  expect(store.apply(put('b', '1')).revision).toBe(2)
  expect(store.apply(remove('missing'))).toEqual({ status: 'not-found', revision: 2 })
  expect(store.apply(remove('a'))).toEqual({ status: 'written', revision: 3, version: 0 })
  expect(store.query({ op: 'get', key: text('b') })).toEqual({
    revision: 3,
    entry: { value: text('1'), version: 1, changed: 2 },
  })
})

test('versions count the changes of one key and begin again after a delete', () => {
  const store = new KvStore()
  store.apply(put('k', 'x'))
  expect(store.apply(append('k', 'y'))).toMatchObject({ version: 2 })
  store.apply(remove('k'))
  expect(store.apply(put('k', 'z'))).toMatchObject({ version: 1, revision: 4 })
})

test('an append that would pass 1 MiB is refused and changes nothing', () => {
  const store = new KvStore()
  const key = text('k')
  store.apply({ op: 'put', key, value: new Uint8Array(VALUE_BYTES_MAX - 1) })
  expect(store.apply({ op: 'append', key, value: new Uint8Array(2) })).toEqual({
    status: 'too-large',
    revision: 1,
    valueBytes: VALUE_BYTES_MAX + 1,
  })
  expect(store.apply({ op: 'append', key, value: new Uint8Array(1) })).toMatchObject({ revision: 2 })
  expect(store.get(key)?.value.length).toBe(VALUE_BYTES_MAX)
})

test('a value handed out stays as it was, whatever is written afterwards', () => {
  const store = new KvStore()
  store.apply(put('k', 'first'))
  store.apply(append('k', ' second'))
  const seen = store.get(text('k'))?.value
  store.apply(append('k', ' third'))
  store.apply(put('k', 'fourth'))
  expect(new TextDecoder().decode(seen)).toBe('first second')
})

test('the store keeps no view on the command: the log may reuse its bytes', () => {
  const store = new KvStore()
  const value = text('kept')
  store.apply({ op: 'put', key: text('k'), value })
  value.fill(0)
  expect(read(store, 'k')).toBe('kept')
})

test('100 000 appends to one key copy each byte a few times, not each time', () => {
  const store = new KvStore()
  const line = 'x'.repeat(10)
  const started = process.cpuUsage()
  for (let i = 0; i < 100_000; i++) store.apply(append('k', line))
  expect(store.get(text('k'))?.value.length).toBe(1_000_000)
  // Copying the whole value for each append would move 50 GB. Of the processor's time: a busy machine takes longer.
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(3000)
})

test('any commands leave what they leave in a plain Map', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 60 }), (commands) => {
      const store = new KvStore()
      const twin = new Map<string, { value: number[]; version: number }>()
      let revision = 0
      for (const command of commands) {
        const name = command.key.join()
        const before = twin.get(name)
        if (command.op === 'delete') {
          if (twin.delete(name)) revision++
        } else {
          const value = [...(command.op === 'append' ? (before?.value ?? []) : []), ...command.value]
          twin.set(name, { value, version: (before?.version ?? 0) + 1 })
          revision++
        }
        store.apply(command)
        expect(store.revision).toBe(revision)
      }
      expect(store.size).toBe(twin.size)
      for (const { key } of commands) {
        const entry = store.get(key)
        const expected = twin.get(key.join())
        expect(entry === null ? undefined : { value: [...entry.value], version: entry.version }).toEqual(
          expected,
        )
      }
    }),
  )
})

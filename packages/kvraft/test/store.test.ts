import { expect, test } from 'vitest'
import type { Command } from '../src/commands.ts'
import { VALUE_BYTES_MAX } from '../src/limits.ts'
import { answerCodec, queryCodec, type Answer } from '../src/queries.ts'
import { KvStore } from '../src/store.ts'
import { apply, query } from './typed-store.ts'

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
  expect(apply(store, append('k', 'a'))).toEqual({ status: 'written', revision: 1, version: 1 })
  apply(store, append('k', 'b'))
  expect(read(store, 'k')).toBe('ab')
})

test('an empty value is a value, and not a missing key', () => {
  const store = new KvStore()
  apply(store, put('k', ''))
  expect(read(store, 'k')).toBe('')
  expect(read(store, 'other')).toBeUndefined()
})

test('an answer stays what it was while others are given', () => {
  const store = new KvStore()
  const all = Array.from({ length: 600 }, (_, n) => `${n}:${'x'.repeat(n)}`)
  for (const value of all) apply(store, put(value, value))
  const answers = all.map((value) => store.query(queryCodec.encode({ op: 'get', key: text(value) })))
  const values = answers.map((answer) => (answerCodec.decode(answer) as Answer).entry?.value)
  expect(values).toEqual(all.map(text))
})

test('every change has the next revision, whatever its key; what changes nothing has none', () => {
  const store = new KvStore()
  expect(apply(store, put('a', '1')).revision).toBe(1)
  expect(apply(store, put('b', '1')).revision).toBe(2)
  expect(apply(store, remove('missing'))).toEqual({ status: 'not-found', revision: 2 })
  expect(apply(store, remove('a'))).toEqual({ status: 'written', revision: 3, version: 0 })
  expect(query(store, { op: 'get', key: text('b') })).toEqual({
    revision: 3,
    entry: { value: text('1'), version: 1, changed: 2 },
  })
})

test('versions count the changes of one key and begin again after a delete', () => {
  const store = new KvStore()
  apply(store, put('k', 'x'))
  expect(apply(store, append('k', 'y'))).toMatchObject({ version: 2 })
  apply(store, remove('k'))
  expect(apply(store, put('k', 'z'))).toMatchObject({ version: 1, revision: 4 })
})

test('an append that would pass 1 MiB is refused and changes nothing', () => {
  const store = new KvStore()
  const key = text('k')
  apply(store, { op: 'put', key, value: new Uint8Array(VALUE_BYTES_MAX - 1) })
  expect(apply(store, { op: 'append', key, value: new Uint8Array(2) })).toEqual({
    status: 'too-large',
    revision: 1,
    valueBytes: VALUE_BYTES_MAX + 1,
  })
  expect(apply(store, { op: 'append', key, value: new Uint8Array(1) })).toMatchObject({ revision: 2 })
  expect(store.get(key)?.value.length).toBe(VALUE_BYTES_MAX)
})

test('a value handed out stays as it was, whatever is written afterwards', () => {
  const store = new KvStore()
  apply(store, put('k', 'first'))
  apply(store, append('k', ' second'))
  const seen = store.get(text('k'))?.value
  apply(store, append('k', ' third'))
  apply(store, put('k', 'fourth'))
  expect(new TextDecoder().decode(seen)).toBe('first second')
})

test('the store keeps no view on the command: the log may reuse its bytes', () => {
  const store = new KvStore()
  const value = text('kept')
  apply(store, { op: 'put', key: text('k'), value })
  value.fill(0)
  expect(read(store, 'k')).toBe('kept')
})

test('100 000 appends to one key copy each byte a few times, not each time', () => {
  const store = new KvStore()
  const line = 'x'.repeat(10)
  const started = process.cpuUsage()
  for (let i = 0; i < 100_000; i++) apply(store, append('k', line))
  expect(store.get(text('k'))?.value.length).toBe(1_000_000)
  // Copying the whole value for each append would move 50 GB. Of the processor's time: a busy machine takes longer.
  expect(process.cpuUsage(started).user / 1000).toBeLessThan(3000)
})

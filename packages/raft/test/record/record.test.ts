import { ProtocolError } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32 } from '../../src/crc32.ts'
import { EntryKind, RECORD_HEADER_BYTES, payloadOf, recordBytes, type Entry } from '../../src/entry.ts'
import { RecordWriter, decodeRecords, groupOf, makeEntry, type RecordFields } from '../../src/record.ts'

const u64 = fc.oneof(fc.nat(1000), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER))
const anyFields: fc.Arbitrary<RecordFields> = fc.record({
  group: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  kind: fc.constantFrom(...Object.values(EntryKind)),
  index: u64,
  term: u64,
  time: u64,
  payload: fc.uint8Array({ maxLength: 400 }),
})

const sample: RecordFields = {
  group: 0,
  kind: EntryKind.command,
  index: 7,
  term: 3,
  time: 1_700_000_000_123,
  payload: new Uint8Array([1, 2, 3]),
}

function fieldsOf(entry: Entry): RecordFields {
  const { kind, index, term, time } = entry
  return { group: groupOf(entry), kind, index, term, time, payload: payloadOf(entry).slice() }
}

/** The record's bytes after `change`, with the checksum made right again. */
function forged(change: (view: DataView) => void): Uint8Array {
  const entry = makeEntry(sample)
  const bytes = entry.slab.slice(entry.start, entry.end)
  const view = new DataView(bytes.buffer)
  change(view)
  view.setUint32(4, crc32(bytes, 8), true)
  return bytes
}

test('the layout of a record is the one that entry.ts draws', () => {
  const entry = makeEntry({ ...sample, group: 9 })
  const view = new DataView(entry.slab.buffer, entry.slab.byteOffset + entry.start)
  expect(recordBytes(entry)).toBe(RECORD_HEADER_BYTES + 3)
  expect(view.getUint32(0, true)).toBe(43)
  expect(view.getUint32(4, true)).toBe(crc32(entry.slab, entry.start + 8, entry.end))
  expect(view.getUint8(8)).toBe(EntryKind.command)
  expect([view.getUint8(9), view.getUint16(10, true)]).toEqual([0, 0])
  expect(view.getUint32(12, true)).toBe(9)
  expect(view.getBigUint64(16, true)).toBe(7n)
  expect(view.getBigUint64(24, true)).toBe(3n)
  expect(view.getBigUint64(32, true)).toBe(1_700_000_000_123n)
  expect([...payloadOf(entry)]).toEqual([1, 2, 3])
})

test('what a writer packs comes back field by field, whatever the slab size', () => {
  fc.assert(
    fc.property(
      fc.array(anyFields, { maxLength: 20 }),
      fc.integer({ min: 1, max: 2000 }),
      (all, slabBytes) => {
        const writer = new RecordWriter(slabBytes)
        const entries = all.map((fields) => writer.append(fields))
        expect(entries.map(fieldsOf)).toEqual(all)
        for (const entry of entries)
          expect(decodeRecords(entry.slab, entry.start, entry.end)).toEqual([entry])
      },
    ),
  )
})

test('records packed after reserving room lie side by side and decode as one run', () => {
  const writer = new RecordWriter(100)
  writer.append(sample)
  writer.reserve(3 * 43)
  const entries = [1, 2, 3].map((index) => writer.append({ ...sample, index }))
  const [first, , last] = entries as [Entry, Entry, Entry]
  expect(entries.every((entry) => entry.slab === first.slab)).toBe(true)
  expect(decodeRecords(first.slab, first.start, last.end, { group: 0 })).toEqual(entries)
})

test('a large record that finds no room gets just that, and what is left of the slab is filled by those that come', () => {
  const writer = new RecordWriter(1000)
  const small = writer.append(sample)
  const large = writer.append({ ...sample, payload: new Uint8Array(970) })
  expect(large.slab.length).toBe(large.end)
  expect(writer.append(sample).slab).toBe(small.slab)
})

test('decoding starts and ends where it is told, within a larger slab', () => {
  const entry = makeEntry(sample)
  const slab = new Uint8Array(100).fill(0xff)
  slab.set(entry.slab.subarray(entry.start, entry.end), 20)
  expect(decodeRecords(slab, 20, 63)).toEqual([{ ...entry, slab, start: 20, end: 63 }])
})

test.each<[string, () => Uint8Array, RegExp]>([
  ['of a kind that does not exist', () => forged((view) => view.setUint8(8, 99)), /unknown kind 99/],
  ['of kind 0', () => forged((view) => view.setUint8(8, 0)), /unknown kind 0/],
  ['with a reserved byte set', () => forged((view) => view.setUint8(10, 1)), /unknown kind/],
  ['with an index of 2^53', () => forged((view) => view.setUint32(20, 2 ** 21, true)), /2\^53/],
  ['with a length below its header', () => forged((view) => view.setUint32(0, 39, true)), /of 39 bytes/],
  ['with a length past the end', () => forged((view) => view.setUint32(0, 44, true)), /of 44 bytes/],
  ['cut off in its header', () => makeEntry(sample).slab.slice(0, 39), /cut off/],
])('a record %s is refused', (_, bytes, message) => {
  expect(() => decodeRecords(bytes())).toThrow(ProtocolError)
  expect(() => decodeRecords(bytes())).toThrow(message)
})

test('a record of another group is refused where one is expected', () => {
  const { slab } = makeEntry({ ...sample, group: 4 })
  expect(() => decodeRecords(slab, 0, slab.length, { group: 5 })).toThrow('a record of group 4 in group 5')
})

test('any flipped bit and any truncation is noticed, and nothing but ProtocolError is thrown', () => {
  const writer = new RecordWriter(4096)
  for (let index = 1; index <= 3; index++) writer.append({ ...sample, index })
  const { slab, end } = writer.append({ ...sample, index: 4 })
  fc.assert(
    fc.property(fc.nat(end * 8 - 1), fc.nat(end - 1), (bit, length) => {
      const flipped = slab.slice(0, end)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(() => decodeRecords(flipped)).toThrow(ProtocolError)
      if (length % 43 !== 0) expect(() => decodeRecords(slab, 0, length)).toThrow(ProtocolError)
    }),
  )
})

test('random bytes are refused with ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), (bytes) => {
      expect(() => decodeRecords(bytes)).toThrow(ProtocolError)
    }),
  )
})

test('a number that is no safe integer is never written', () => {
  for (const index of [-1, 0.5, NaN, 2 ** 53])
    expect(() => makeEntry({ ...sample, index })).toThrow('safe integers')
})

import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32, portableCrc32 } from '../../src/crc32.ts'

const check = new TextEncoder().encode('123456789')

test.each([
  ['ours', crc32],
  ['the one in JavaScript', portableCrc32],
])('%s gives the check value that zlib’s polynomial is known by', (_, ours) => {
  expect(ours(check)).toBe(0xcbf43926)
  expect(ours(new Uint8Array())).toBe(0)
})

test('both give what zlib gives, for any part of any bytes and any seed', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 600 }),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      (bytes, a, b, seed) => {
        const start = a % (bytes.length + 1)
        const end = start + (b % (bytes.length - start + 1))
        // Of no bytes Node's answers 0 and forgets the seed; a checksum taken in pieces must not.
        const expected = start === end ? seed : zlibCrc32(bytes.subarray(start, end), seed)
        expect(crc32(bytes, start, end, seed)).toBe(expected)
        expect(portableCrc32(bytes, start, end, seed)).toBe(expected)
      },
    ),
  )
})

test('a checksum taken in pieces, each seeded with the one before, equals the one of the whole', () => {
  const bytes = new Uint8Array(1000).map((_, i) => i * 31)
  for (const at of [0, 1, 7, 8, 500, 999, 1000])
    expect(crc32(bytes, at, 1000, crc32(bytes, 0, at))).toBe(crc32(bytes))
})

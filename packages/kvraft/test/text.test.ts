import { expect, test } from 'vitest'
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from '../src/limits.ts'
import { keyBytes, valueBytes, valueText } from '../src/text.ts'

test('keys and values are taken as text or as bytes', () => {
  expect(keyBytes('é')).toEqual(Uint8Array.of(0xc3, 0xa9))
  const raw = Uint8Array.of(0xff)
  expect(keyBytes(raw)).toBe(raw)
  expect(valueText(valueBytes('“whale”'))).toBe('“whale”')
})

test('a byte-order mark is a part of the value', () => {
  expect(valueText(valueBytes('\uFEFFx'))).toBe('\uFEFFx')
})

test('a key is refused when empty, over 4 KiB, or with half a surrogate pair, which UTF-8 cannot tell from another', () => {
  const refusal = { code: 'BAD_KEY', outcome: 'not-applied' }
  expect(() => keyBytes('')).toThrow(expect.objectContaining(refusal))
  expect(() => keyBytes('é'.repeat(KEY_BYTES_MAX / 2 + 1))).toThrow(expect.objectContaining(refusal))
  expect(() => keyBytes('a\ud800')).toThrow(expect.objectContaining(refusal))
  expect(keyBytes('🐋').length).toBe(4)
})

test('a value over 1 MiB is refused with its size and what is accepted', () => {
  expect(() => valueBytes(new Uint8Array(VALUE_BYTES_MAX + 1))).toThrow(/up to 1048576 bytes, not 1048577/)
})

test('a value that is not text is not shown as text with holes', () => {
  expect(() => valueText(Uint8Array.of(0x61, 0xff))).toThrow(expect.objectContaining({ code: 'NOT_TEXT' }))
})

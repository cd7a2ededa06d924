import { ByteWriter, ProtocolError } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configCodec, firstConfig, shardOf, tagOf } from '@lab/shardctrler'
import { crc16 } from '../src/key-to-shard.ts'
import { anyConfig } from './arbitraries.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (key: Uint8Array): string => new TextDecoder().decode(key)

test('CRC16 gives the check value of XMODEM', () => {
  expect(crc16(bytes('123456789'))).toBe(0x31c3)
  expect(crc16(bytes(''))).toBe(0)
})

test('only what stands in the first braces is hashed, unless nothing does', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['{ada}/name', 'ada'],
    ['user/{ada}{bob}', 'ada'],
    ['{{ada}}', '{ada'],
    ['{}ada', '{}ada'],
    ['{ada', '{ada'],
    ['ada}', 'ada}'],
    ['}{ada}', 'ada'],
  ]
  for (const [key, tag] of cases) expect(text(tagOf(bytes(key)))).toBe(tag)
})

test('the first byte decides as in the labs: keys 0 to 9 are in ten different shards', () => {
  const config = firstConfig(10, 'first-byte')
  const shards = Array.from({ length: 10 }, (_, i) => shardOf(config, bytes(String(i))))
  expect(new Set(shards).size).toBe(10)
  expect(shardOf(config, bytes('0'))).toBe(48 % 10)
})

test('CRC16 spreads keys over all shards', () => {
  const config = firstConfig(64, 'crc16')
  const counts = Array.from({ length: 64 }, () => 0)
  for (let i = 0; i < 6400; i++) {
    const shard = shardOf(config, bytes(`user/${i}`))
    counts[shard] = (counts[shard] ?? 0) + 1
  }
  expect(Math.min(...counts)).toBeGreaterThan(50)
  expect(Math.max(...counts)).toBeLessThan(150)
})

test('a configuration survives its bytes', () => {
  fc.assert(
    fc.property(anyConfig, (config) => {
      expect(configCodec.decode(configCodec.encode(config))).toEqual(config)
    }),
  )
})

test('bytes that are no configuration are refused, whatever they are', () => {
  fc.assert(
    fc.property(anyConfig, fc.nat(), fc.nat(255), (config, at, byte) => {
      const encoded = configCodec.encode(config)
      encoded[at % encoded.length] = byte
      try {
        expect(configCodec.encode(configCodec.decode(encoded))).toBeInstanceOf(Uint8Array)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(ProtocolError)
      }
    }),
  )
})

test('a run of shards that would not fit memory is refused before it is made', () => {
  const writer = new ByteWriter()
  writer
    .varint(1)
    .u8(1)
    .varint(1)
    .varint(2 ** 40)
    .varint(0)
  expect(() => configCodec.decode(writer.finish())).toThrow(ProtocolError)
})

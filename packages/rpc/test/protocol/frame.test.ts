import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameDecoder, ProtocolError, writeFrame } from '../../src/index.ts'

function encode(messages: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + 4 + length, 0))
  let at = 0
  for (const message of messages) at = writeFrame(bytes, at, message)
  return bytes
}

/** Cuts `bytes` at the given places, taken modulo its length. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((start, i) => bytes.slice(start, sorted[i] ?? bytes.length))
}

function decodeAll(chunks: readonly Uint8Array[], messageBytesMax = 1 << 20): Uint8Array[] {
  const decoder = new FrameDecoder(messageBytesMax)
  const got: Uint8Array[] = []
  for (const chunk of chunks) decoder.push(chunk, (message) => got.push(message))
  return got
}

const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 })
const places = fc.array(fc.nat(10_000), { maxLength: 30 })

test('how the bytes are cut into chunks makes no difference to the messages', () => {
  fc.assert(
    fc.property(messages, places, (sent, at) => {
      expect(decodeAll(cut(encode(sent), at))).toEqual(sent)
    }),
    { numRuns: 300 },
  )
})

test('a byte at a time gives the same messages', () => {
  const sent = [
    new Uint8Array(0),
    Uint8Array.of(1),
    new Uint8Array(70_000).fill(7),
    new Uint8Array(3).fill(9),
  ]
  const bytes = encode(sent)
  expect(decodeAll(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(sent)
})

test('random bytes give messages or a ProtocolError, and never keep more than came', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (chunks) => {
      const decoder = new FrameDecoder(1000)
      let came = 0
      try {
        for (const chunk of chunks) {
          came += chunk.length
          decoder.push(chunk, (message) => {
            expect(message.length).toBeLessThanOrEqual(1000)
          })
          expect(decoder.partialBytes).toBeLessThanOrEqual(Math.min(came, 1004))
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError)
      }
    }),
    { numRuns: 500 },
  )
})

test('a length past the limit is refused when only the length has come', () => {
  const decoder = new FrameDecoder(1000)
  const header = Uint8Array.of(0xff, 0xff, 0xff, 0xff)
  expect(() => {
    decoder.push(header, () => undefined)
  }).toThrow(ProtocolError)
  // Also when the length itself comes in pieces.
  const slow = new FrameDecoder(1000)
  slow.push(header.slice(0, 3), () => undefined)
  expect(() => {
    slow.push(header.slice(3), () => undefined)
  }).toThrow(ProtocolError)
})

test('a promised large message takes memory only as its bytes come', () => {
  const decoder = new FrameDecoder(1 << 30)
  const before = process.memoryUsage().arrayBuffers
  const header = new Uint8Array(4)
  new DataView(header.buffer).setUint32(0, 1 << 30, true)
  decoder.push(header, () => undefined)
  decoder.push(new Uint8Array(100), () => undefined)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
})

test('a decoder that was stopped hands out nothing, not even from the chunk at hand', () => {
  const decoder = new FrameDecoder(100)
  const got: Uint8Array[] = []
  decoder.push(encode([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]), (message) => {
    got.push(message)
    if (got.length === 2) decoder.stop()
  })
  expect(got).toHaveLength(2)
  decoder.push(encode([Uint8Array.of(4)]), (message) => got.push(message))
  expect(got).toHaveLength(2)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ByteWriter, ProtocolError } from '../../src/index.ts'
import * as protocol from '../../src/protocol.ts'
import type { Message, WireError } from '../../src/messages.ts'

function written(write: (to: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter()
  write(writer)
  return writer.finish()
}

const id = fc.nat(Number.MAX_SAFE_INTEGER)
const u32 = fc.nat(0xffff_ffff)
const body = fc.uint8Array({ maxLength: 100 })
const text = fc.string({ unit: 'grapheme', maxLength: 30 })
const role = fc.constantFrom('peer' as const, 'client' as const, 'admin' as const)
const error: fc.Arbitrary<WireError> = fc.record({
  code: fc.constantFrom(
    'TIMEOUT' as const,
    'CLOSED' as const,
    'BAD_REQUEST' as const,
    'UNREACHABLE' as const,
  ),
  executed: fc.constantFrom('no' as const, 'yes' as const, 'unknown' as const),
  message: text,
  remoteCode: text,
  details: text,
})
const identity = { role, clusterId: text, nodeId: text, incarnation: text }
const version = fc.constant(protocol.PROTOCOL_VERSION)

/** Every message with the bytes that stand for it. */
const anyMessage: fc.Arbitrary<{ message: Message; bytes: Uint8Array }> = fc.oneof(
  fc.record({ version, ...identity, token: text, messageBytesMax: id }).map((hello) => ({
    message: { kind: 'hello' as const, hello },
    bytes: written((to) => {
      protocol.writeHello(to, hello)
    }),
  })),
  fc.record({ version, ...identity, connectionId: text, messageBytesMax: id }).map((welcome) => ({
    message: { kind: 'welcome' as const, welcome },
    bytes: written((to) => {
      protocol.writeWelcome(to, welcome)
    }),
  })),
  error.map((error) => ({
    message: { kind: 'refuse' as const, error },
    bytes: written((to) => {
      protocol.writeRefuse(to, error)
    }),
  })),
  error.map((error) => ({
    message: { kind: 'goaway' as const, error },
    bytes: written((to) => {
      protocol.writeGoaway(to, error)
    }),
  })),
  fc.tuple(id, error).map(([id, error]) => ({
    message: { kind: 'failure' as const, id, error },
    bytes: written((to) => {
      protocol.writeFailure(to, id, error)
    }),
  })),
  fc.tuple(id, u32, id, body).map(([id, method, timeout, body]) => ({
    message: { kind: 'request' as const, id, method, timeout, body },
    bytes: written((to) => {
      protocol.writeRequest(to, id, method, timeout, body)
    }),
  })),
  fc.tuple(id, body).map(([id, body]) => ({
    message: { kind: 'response' as const, id, body },
    bytes: written((to) => {
      protocol.writeResponse(to, id, body)
    }),
  })),
  fc.tuple(id, body).map(([id, body]) => ({
    message: { kind: 'part' as const, id, body },
    bytes: written((to) => {
      protocol.writePart(to, id, body)
    }),
  })),
  fc.tuple(u32, body).map(([method, body]) => ({
    message: { kind: 'notify' as const, method, body },
    bytes: written((to) => {
      protocol.writeNotify(to, method, body)
    }),
  })),
  fc.tuple(id, u32, id, body).map(([id, method, credit, body]) => ({
    message: { kind: 'open' as const, id, method, credit, body },
    bytes: written((to) => {
      protocol.writeOpen(to, id, method, credit, body)
    }),
  })),
  fc.tuple(id, id, body).map(([id, sequence, body]) => ({
    message: { kind: 'item' as const, id, sequence, body },
    bytes: written((to) => {
      protocol.writeItem(to, id, sequence, body)
    }),
  })),
  fc.tuple(id, id).chain(([id, n]) =>
    fc.constantFrom<{ message: Message; bytes: Uint8Array }>(
      {
        message: { kind: 'end', id, count: n },
        bytes: written((to) => {
          protocol.writeEnd(to, id, n)
        }),
      },
      {
        message: { kind: 'credit', id, total: n },
        bytes: written((to) => {
          protocol.writeCredit(to, id, n)
        }),
      },
      {
        message: { kind: 'query', id, total: n },
        bytes: written((to) => {
          protocol.writeQuery(to, id, n)
        }),
      },
      {
        message: { kind: 'status', id, sent: n },
        bytes: written((to) => {
          protocol.writeStatus(to, id, n)
        }),
      },
      {
        message: { kind: 'cancel', id },
        bytes: written((to) => {
          protocol.writeCancel(to, id)
        }),
      },
    ),
  ),
  fc.constantFrom<{ message: Message; bytes: Uint8Array }>(
    { message: { kind: 'ping' }, bytes: written(protocol.writePing) },
    { message: { kind: 'pong' }, bytes: written(protocol.writePong) },
  ),
)

test('every message comes back as it was written', () => {
  fc.assert(
    fc.property(anyMessage, ({ message, bytes }) => {
      expect(protocol.decodeMessage(bytes)).toEqual(message)
    }),
    { numRuns: 1000 },
  )
})

test('random bytes decode or throw ProtocolError, and what decodes has no more bytes than came', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(20), (rest, kind) => {
      for (const bytes of [rest, Uint8Array.of(kind, ...rest)]) {
        const message = decodeOrProtocolError(bytes)
        if (message !== null && 'body' in message) expect(message.body.length).toBeLessThan(bytes.length)
      }
    }),
    { numRuns: 3000 },
  )
})

test('a message cut short, or changed in a byte, decodes or throws ProtocolError', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), fc.nat(255), ({ bytes }, at, value) => {
      decodeOrProtocolError(bytes.subarray(0, at % (bytes.length + 1)))
      const changed = bytes.slice()
      changed[at % changed.length] = value
      decodeOrProtocolError(changed)
    }),
    { numRuns: 3000 },
  )
})

test('a hello of another version tells its version, whatever follows', () => {
  const hello = written((to) => {
    to.u8(1)
      .u32(0x4350524c)
      .varint(9)
      .raw(Uint8Array.of(1, 2, 3))
  })
  expect(protocol.decodeMessage(hello)).toMatchObject({ kind: 'hello', hello: { version: 9 } })
})

function decodeOrProtocolError(bytes: Uint8Array): Message | null {
  try {
    return protocol.decodeMessage(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
    return null
  }
}

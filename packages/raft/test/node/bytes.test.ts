import { ProtocolError } from '@lab/rpc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeAttempt, encodeRefusal } from '../../src/calls/refusal.ts'
import { RaftError } from '../../src/errors.ts'
import {
  clientKeyOf,
  decodeEnvelope,
  encodeOpen,
  encodePlain,
  encodeSession,
} from '../../src/rsm/envelope.ts'
import {
  ReplyStatus,
  decodeReply,
  encodeResult,
  encodeStatus,
  encodeThrown,
  resultOf,
} from '../../src/rsm/reply.ts'
import { encodeStateHeader, splitState } from '../../src/rsm/state-stream.ts'
import { SessionTable } from '../../src/rsm/sessions.ts'

const clientId = fc.uint8Array({ minLength: 16, maxLength: 16 })
const natural = fc.nat(2 ** 31 - 1)
const json = {
  encode: (value: unknown) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown,
}
const at = { index: 7, term: 3 }

describe('envelopes', () => {
  test('what is encoded is decoded', () => {
    fc.assert(
      fc.property(
        clientId,
        natural,
        natural,
        fc.uint8Array(),
        (id, sequenceNumber, firstUnacknowledged, command) => {
          expect(decodeEnvelope(encodePlain(command))).toEqual({ kind: 'plain', command })
          const session = {
            kind: 'session',
            client: clientKeyOf(id),
            sequenceNumber,
            firstUnacknowledged,
            command,
          }
          expect(decodeEnvelope(encodeSession(id, sequenceNumber, firstUnacknowledged, command))).toEqual(
            session,
          )
          const rule = { sessionsMax: sequenceNumber, idleMsMax: firstUnacknowledged }
          expect(decodeEnvelope(encodeOpen(id, rule))).toEqual({ kind: 'open', clientId: id, rule })
        },
      ),
    )
  })

  test('an envelope stays as it is when others are made after it, however large', () => {
    fc.assert(
      fc.property(clientId, fc.array(fc.nat(70_000), { minLength: 2, maxLength: 12 }), (id, sizes) => {
        const made = sizes.map((size, i) => encodeSession(id, i, 1, new Uint8Array(size).fill(i)))
        made.forEach((bytes, i) => {
          const envelope = decodeEnvelope(bytes)
          expect(envelope).toMatchObject({ kind: 'session', sequenceNumber: i })
          const { command } = envelope as { command: Uint8Array }
          expect(command.length === sizes[i] && command.every((byte) => byte === i)).toBe(true)
        })
      }),
      { numRuns: 30 },
    )
  })

  test('client ids are equal exactly when their keys are', () => {
    fc.assert(
      fc.property(clientId, fc.nat(15), fc.integer({ min: 1, max: 255 }), (id, at, change) => {
        const other = id.map((byte, i) => (i === at ? byte ^ change : byte))
        expect(clientKeyOf(id.slice())).toBe(clientKeyOf(id))
        expect(clientKeyOf(other)).not.toBe(clientKeyOf(id))
      }),
    )
  })

  test('any bytes are decoded or refused with a ProtocolError', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => onlyProtocolErrors(() => decodeEnvelope(bytes))))
  })
})

describe('replies', () => {
  test('a result comes back, undefined too, with its place in the log', () => {
    fc.assert(
      fc.property(natural, natural, fc.jsonValue(), (index, term, value) => {
        const reply = decodeReply(encodeResult({ index, term }, value, json))
        expect([reply.index, reply.term]).toEqual([index, term])
        expect(resultOf(reply, json)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    expect(resultOf(decodeReply(encodeResult(at, undefined, json)), json)).toBeUndefined()
  })

  test('what the machine threw comes back as COMMAND_FAILED with its code: nothing was applied', () => {
    const thrown = Object.assign(new Error('no such account'), { code: 'NO_ACCOUNT' })
    const reply = decodeReply(encodeThrown(at, thrown))
    expect(errorOf(() => resultOf(reply, json))).toMatchObject({
      code: 'COMMAND_FAILED',
      remoteCode: 'NO_ACCOUNT',
      outcome: 'not-applied',
      message: expect.stringContaining('no such account') as string,
    })
  })

  test('a result that cannot be encoded is told as applied with an unknown result', () => {
    const refuse = {
      ...json,
      encode: () => {
        throw new Error('a Date at $.when')
      },
    }
    const reply = decodeReply(encodeResult(at, {}, refuse))
    expect(errorOf(() => resultOf(reply, json))).toMatchObject({
      code: 'COMMAND_FAILED',
      outcome: 'unknown',
      message: expect.stringContaining('a Date at $.when') as string,
    })
  })

  test('an expired session is an error with outcome', () => {
    const reply = decodeReply(encodeStatus(at, ReplyStatus.sessionExpired))
    expect(errorOf(() => resultOf(reply, json))).toMatchObject({
      code: 'SESSION_EXPIRED',
      outcome: 'not-applied',
    })
  })
})

describe('refusals', () => {
  test('code, outcome and hint travel; a reply is never taken for a refusal', () => {
    const leaderHint = { id: 'n2', addresses: ['tcp://a:1', 'ws://b:2'] }
    const error = new RaftError('NOT_LEADER', 'not here', { outcome: 'not-applied', leaderHint })
    const attempt = decodeAttempt(encodeRefusal(error))
    expect(attempt).toMatchObject({
      ok: false,
      error: { code: 'NOT_LEADER', outcome: 'not-applied', leaderHint },
    })
    expect(decodeAttempt(encodeStatus({ index: 1, term: 0 }, ReplyStatus.nothing)).ok).toBe(true)
  })

  test('another server that closes is one that others may stand in for', () => {
    const closed = new RaftError('CLOSED', 'bye', { outcome: 'unknown' })
    expect(decodeAttempt(encodeRefusal(closed))).toMatchObject({
      error: { code: 'UNAVAILABLE', outcome: 'unknown' },
    })
  })

  test('any bytes are decoded or refused with a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) =>
        onlyProtocolErrors(() => decodeAttempt(Uint8Array.of(0, ...bytes))),
      ),
    )
  })
})

describe('snapshot streams', () => {
  test('header and state come back however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        async (state, size) => {
          const sessions = new SessionTable().encode()
          const header = encodeStateHeader({ time: 99, hash: 0xdeadbeef, sessions })
          const { header: read, rest } = await splitState(cut(Uint8Array.of(...header, ...state), size))
          expect(read).toEqual({ time: 99, hash: 0xdeadbeef, sessions })
          const parts: number[] = []
          for await (const chunk of rest) parts.push(...chunk)
          expect(parts).toEqual([...state])
        },
      ),
      { numRuns: 50 },
    )
  })

  test('a stream that ends in its header is refused', async () => {
    const header = encodeStateHeader({ time: 1, hash: null, sessions: new SessionTable().encode() })
    await expect(splitState(cut(header.subarray(0, header.length - 1), 3))).rejects.toThrow(ProtocolError)
  })

  test('any session table bytes are decoded or refused with a ProtocolError', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => onlyProtocolErrors(() => SessionTable.decode(bytes))))
  })
})

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.slice(from, from + size)
}

function onlyProtocolErrors(work: () => unknown): void {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError)
  }
}

function errorOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}

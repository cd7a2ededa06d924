/** Sessions at rest: the same table, whatever few of them are objects; and what a hundred thousand clients cost. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { bytesCodec } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { clientKeyOf } from '../../src/rsm/envelope.ts'
import { encodeResult } from '../../src/rsm/reply.ts'
import { SessionTable } from '../../src/rsm/sessions.ts'

function idOf(client: number): Uint8Array {
  const id = new Uint8Array(16).fill(7)
  new DataView(id.buffer).setUint32(0, client)
  return id
}

interface Write {
  readonly client: number
  readonly sequence: number
  /** How long the reply is. */
  readonly bytes: number
  readonly time: number
}

function write(table: SessionTable, { client, sequence, bytes, time }: Write): string {
  const admission = table.admit(clientKeyOf(idOf(client)), sequence, sequence - 1, time)
  if (admission.verdict === 'new')
    table.complete(admission.session, sequence, new Uint8Array(bytes).fill(sequence))
  return admission.verdict === 'duplicate' ? `duplicate ${String(admission.reply.length)}` : admission.verdict
}

test('thesis §6.3: a table in which nearly all sessions rest behaves and reads as one in which none does', () => {
  const step = fc.record({
    client: fc.integer({ min: 1, max: 9 }),
    sequence: fc.integer({ min: 1, max: 4 }),
    bytes: fc.constantFrom(1, 9, 9, 9, 9, 9, 9, 40_000, 70_000),
    opens: fc.integer({ min: 0, max: 2 }).map((dice) => dice === 0),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 5, max: 9 }), (steps, sessionsMax) => {
      const tables = [new SessionTable(1), new SessionTable(3), new SessionTable(1000)] as const
      steps.forEach(({ client, sequence, bytes, opens }, time) => {
        const said = tables.map((table) => {
          if (!opens) return write(table, { client, sequence, bytes, time })
          table.open(idOf(client), time, { sessionsMax, idleMsMax: 60 })
          return String(table.size)
        })
        expect(new Set(said).size).toBe(1)
      })
      const [one, few, all] = tables.map((table) => table.encode())
      expect(one).toEqual(all)
      expect(few).toEqual(all)
      expect(SessionTable.decode(all as Uint8Array).encode()).toEqual(all)
    }),
    { numRuns: 60 },
  )
})

test('sessions that are used again in any order leave holes, which are closed, and every other one is still found', () => {
  const clients = 6007 // Some pages full; a prime, so that a stride meets all.
  const table = new SessionTable(1)
  for (let client = 0; client < clients; client++) {
    table.open(idOf(client), 0, { sessionsMax: clients, idleMsMax: 1000 })
    expect(write(table, { client, sequence: 1, bytes: 9, time: 0 })).toBe('new')
  }
  for (const rounds of [4000, clients])
    for (let at = 0; at < rounds; at++) {
      const client = (at * 2503) % clients
      if (write(table, { client, sequence: 1, bytes: 9, time: 0 }) !== 'duplicate 9')
        throw new Error(`client ${String(client)} is forgotten`)
    }
  expect(table.size).toBe(clients)
  expect(SessionTable.decode(table.encode()).size).toBe(clients)
})

test('a hundred thousand clients that each wrote once cost at most 200 bytes each, and nothing once they have expired', () => {
  const clients = 100_000
  const rule = { sessionsMax: clients, idleMsMax: 1000 }
  const before = memory()
  const table = new SessionTable()
  for (let client = 0; client < clients; client++) {
    table.open(idOf(client), 0, rule)
    const admission = table.admit(clientKeyOf(idOf(client)), 1, 1, 0)
    if (admission.verdict !== 'new') throw new Error('it is new')
    const reply = encodeResult({ index: 1_000_000 + client, term: 3 }, Uint8Array.of(1, 9, 9, 9), bytesCodec)
    table.complete(admission.session, 1, reply)
  }
  expect(table.size).toBe(clients)
  expect((memory() - before) / clients).toBeLessThan(200)
  expect(table.encode().length / clients).toBeLessThan(40)
  table.open(idOf(clients), 2000, rule)
  expect(table.size).toBe(1)
  expect(table.encode().length).toBeLessThan(40)
  expect(memory() - before).toBeLessThan(1_000_000)
})

/** Of the heap and what hangs off it, without garbage: on a machine at work a run may still see some. */
function memory(): number {
  return Math.min(...Array.from({ length: 3 }, measured))
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

function measured(): number {
  gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

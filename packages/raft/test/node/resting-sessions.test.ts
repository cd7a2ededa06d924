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

/** @param bytes how long the reply is */
function write(table: SessionTable, client: number, sequence: number, bytes = 9): string {
  const admission = table.admit(clientKeyOf(idOf(client)), sequence, sequence - 1, client)
  if (admission.verdict === 'new')
    table.complete(admission.session, sequence, new Uint8Array(bytes).fill(sequence))
  return admission.verdict === 'duplicate' ? `duplicate ${String(admission.reply.length)}` : admission.verdict
}

test('thesis §6.3: a table in which nearly all sessions rest behaves and reads as one in which none does', () => {
  const step = fc.record({
    client: fc.integer({ min: 1, max: 40 }),
    sequence: fc.integer({ min: 1, max: 6 }),
    bytes: fc.constantFrom(1, 9, 9, 9, 5000, 70_000),
    opens: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 3, max: 50 }), (steps, sessionsMax) => {
      const tables = [new SessionTable(1), new SessionTable(3), new SessionTable(1000)] as const
      steps.forEach(({ client, sequence, bytes, opens }, time) => {
        const said = tables.map((table) => {
          if (!opens) return write(table, client, sequence, bytes)
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
    { numRuns: 150 },
  )
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
    const reply = encodeResult(
      { index: 1_000_000 + client, term: 3 },
      Uint8Array.of(1, 9, 9, 9),
      bytesCodec,
    )
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

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { clientKeyOf } from '../../src/rsm/envelope.ts'
import { SEQUENCE_WINDOW, SessionTable, type Admission } from '../../src/rsm/sessions.ts'

const RULE = { sessionsMax: 3, idleMsMax: 1000 }
const id = (n: number): Uint8Array => new Uint8Array(16).fill(n)
const reply = (n: number): Uint8Array => Uint8Array.of(n)

function apply(table: SessionTable, client: number, sequence: number, first = 1, time = 0): Admission {
  const admission = table.admit(clientKeyOf(id(client)), sequence, first, time)
  if (admission.verdict === 'new') table.complete(admission.session, sequence, reply(sequence))
  return admission
}

describe('sessions (thesis §6.3)', () => {
  test('a repeated command gets the reply of its first time and is not new again', () => {
    const table = new SessionTable()
    table.open(id(1), 0, RULE)
    expect(apply(table, 1, 1).verdict).toBe('new')
    expect(apply(table, 1, 1)).toEqual({ verdict: 'duplicate', reply: reply(1) })
  })

  test('commands may arrive in any order, each once', () => {
    const table = new SessionTable()
    table.open(id(1), 0, RULE)
    const verdicts = [5, 2, 2, 1, 5, 3].map((sequence) => apply(table, 1, sequence).verdict)
    expect(verdicts).toEqual(['new', 'new', 'duplicate', 'new', 'duplicate', 'new'])
  })

  test('a reply is forgotten once the client says that it has it, and a late copy is not applied', () => {
    const table = new SessionTable()
    table.open(id(1), 0, RULE)
    apply(table, 1, 1)
    apply(table, 1, 2, 2)
    expect(apply(table, 1, 1, 1).verdict).toBe('acknowledged')
    expect(apply(table, 1, 2, 1).verdict).toBe('duplicate')
  })

  test('a client that the table does not hold is expired, never new', () => {
    expect(apply(new SessionTable(), 1, 1).verdict).toBe('expired')
  })

  test('opening forgets the least recently used client when there are too many', () => {
    const table = new SessionTable()
    for (const client of [1, 2, 3]) table.open(id(client), 0, RULE)
    apply(table, 1, 1)
    table.open(id(4), 0, RULE)
    expect(table.size).toBe(3)
    expect(apply(table, 2, 1).verdict).toBe('expired')
    expect(apply(table, 1, 2).verdict).toBe('new')
  })

  test('opening forgets clients idle for longer than the rule in log time, and only opening does', () => {
    const table = new SessionTable()
    table.open(id(1), 0, RULE)
    table.open(id(2), 500, RULE)
    expect(apply(table, 2, 1, 1, 5000).verdict).toBe('new')
    expect(table.size).toBe(2)
    table.open(id(3), 5000, RULE)
    expect(apply(table, 1, 1, 1, 5000).verdict).toBe('expired')
    expect(apply(table, 2, 1, 1, 5000).verdict).toBe('duplicate')
  })

  test('opening twice changes nothing for the client', () => {
    const table = new SessionTable()
    table.open(id(1), 0, RULE)
    apply(table, 1, 1)
    table.open(id(1), 10, RULE)
    expect(apply(table, 1, 1).verdict).toBe('duplicate')
  })

  test('a client may not run ahead of its oldest unanswered command without bound', () => {
    const table = new SessionTable()
    table.open(id(1), 0, RULE)
    expect(apply(table, 1, SEQUENCE_WINDOW).verdict).toBe('new')
    expect(apply(table, 1, SEQUENCE_WINDOW + 1).verdict).toBe('out-of-window')
    expect(apply(table, 1, 0).verdict).toBe('out-of-window')
    expect(apply(table, 1, SEQUENCE_WINDOW + 1, 2).verdict).toBe('new')
  })

  test('a table restored from its bytes behaves as the original, whatever was done before', () => {
    const step = fc.record({
      open: fc.boolean(),
      client: fc.integer({ min: 1, max: 6 }),
      sequence: fc.integer({ min: 0, max: 8 }),
      first: fc.integer({ min: 0, max: 8 }),
      wait: fc.integer({ min: 0, max: 600 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, cut) => {
        const original = new SessionTable()
        let copy: SessionTable | null = null
        let time = 0
        steps.forEach(({ open, client, sequence, first, wait }, at) => {
          if (at === cut) copy = SessionTable.decode(original.encode())
          time += wait
          for (const table of [original, ...(copy === null ? [] : [copy])])
            if (open) table.open(id(client), time, RULE)
          const verdict = open ? null : apply(original, client, sequence, first, time)
          if (!open && copy !== null) {
            const { verdict: copied } = apply(copy, client, sequence, first, time)
            expect(copied).toBe(verdict?.verdict)
          }
        })
        if (copy !== null) expect((copy as SessionTable).encode()).toEqual(original.encode())
      }),
    )
  })
})

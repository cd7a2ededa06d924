import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReplyWindow } from '../../src/rsm/reply-window.ts'

test('keeps exactly the unacknowledged replies, as a plain map would, whatever the order', () => {
  const step = fc.record({ ahead: fc.nat(40), acknowledge: fc.nat(40) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.array(step, { maxLength: 60 }), (first, steps) => {
      const window = new ReplyWindow(first)
      const model = new Map<number, Uint8Array>()
      for (const { ahead, acknowledge } of steps) {
        const number = window.firstUnacknowledged + ahead
        expect(window.get(number)).toBe(model.get(number))
        if (!model.has(number)) {
          const reply = Uint8Array.of(number)
          window.set(number, reply)
          model.set(number, reply)
        }
        const upTo = window.firstUnacknowledged + acknowledge - 10
        window.acknowledge(upTo)
        for (const old of model.keys()) if (old < upTo) model.delete(old)
        expect(window.size).toBe(model.size)
        expect([...window.entries()]).toEqual([...model].sort(([a], [b]) => a - b))
      }
    }),
  )
})

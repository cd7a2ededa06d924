/** Small parts against naive twins. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Backoff } from '../../src/backoff.ts'
import { Deadlined, Deadlines } from '../../src/deadlines.ts'
import { SeenIds } from '../../src/duplicates.ts'
import { isSameToken } from '../../src/handshake.ts'
import {
  FrameDecoder,
  formatAddress,
  isLoopback,
  parseAddress,
  RpcError,
  seededRandom,
} from '../../src/index.ts'
import { limitsWith } from '../../src/limits.ts'
import { ChunkPool, Outbox } from '../../src/outbox.ts'
import { Queue } from '../../src/queue.ts'
import { ManualClock } from '../../src/testing/index.ts'

describe('deadlines', () => {
  class Thing extends Deadlined {
    readonly at: number
    readonly onExpire: (thing: Thing) => void
    constructor(at: number, onExpire: (thing: Thing) => void) {
      super()
      this.at = at
      this.onExpire = onExpire
    }
    expire(): void {
      this.onExpire(this)
    }
  }

  test('what is not removed expires, never early and at most 5 ms late; what is removed never does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ at: fc.nat(500_000).map((micros) => micros / 1000), removeAt: fc.option(fc.nat(500)) }),
          {
            maxLength: 60,
          },
        ),
        async (plan) => {
          const clock = new ManualClock()
          const deadlines = new Deadlines(clock)
          const expired = new Map<Thing, number>()
          const removed = new Set<Thing>()
          for (const { at, removeAt } of plan) {
            const thing = new Thing(at, (thing) => expired.set(thing, clock.now()))
            deadlines.add(thing, at)
            if (removeAt !== null)
              clock.setTimer(removeAt, () => {
                if (expired.has(thing)) return
                deadlines.remove(thing)
                removed.add(thing)
              })
          }
          await clock.advance(600)
          expect(expired.size + removed.size).toBe(plan.length)
          for (const [thing, when] of expired) {
            expect(when).toBeGreaterThanOrEqual(thing.at)
            expect(when).toBeLessThan(thing.at + 5.001)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('a hundred thousand calls that end in time cost one timer', () => {
    const clock = new ManualClock()
    const deadlines = new Deadlines(clock)
    for (let i = 0; i < 100_000; i++) {
      const thing = new Thing(0, () => expect.unreachable())
      deadlines.add(thing, 10_000 + i / 1000)
      deadlines.remove(thing)
    }
    expect(clock.waitingTimers).toBe(1)
  })
})

test('ids seen before are told apart within the window, and older ones count as seen', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 50 }))),
      (ids) => {
        const filter = new SeenIds()
        const twin = new Set<number>()
        let highest = 0
        for (const id of ids) {
          highest = Math.max(highest, id)
          expect(filter.seen(id)).toBe(twin.has(id) || id <= highest - 4096)
          twin.add(id)
        }
      },
    ),
    { numRuns: 300 },
  )
  const far = new SeenIds()
  expect([far.seen(1), far.seen(2 ** 52), far.seen(2 ** 52), far.seen(2 ** 52 - 1)]).toEqual([
    false,
    false,
    true,
    false,
  ])
})

test('what waits in an outbox is the frames in order, wherever the chunks end', () => {
  const chunk = 256 * 1024
  for (const last of [chunk - 9, chunk - 8, chunk - 7, chunk - 4, chunk - 3, chunk, chunk + 1, 3 * chunk]) {
    const outbox = new Outbox(new ChunkPool())
    const messages = [
      new Uint8Array(0),
      new Uint8Array(last).fill(1),
      Uint8Array.of(2),
      new Uint8Array(1).fill(3),
    ]
    for (const message of messages) outbox.add(message)
    const waiting = outbox.bytes
    const decoder = new FrameDecoder(1 << 24)
    const got: Uint8Array[] = []
    let taken = 0
    for (const { chunk, length } of outbox.take()) {
      taken += length
      decoder.push(chunk.slice(0, length), (message) => got.push(message))
    }
    expect(taken).toBe(waiting)
    expect(got.map(({ length, [0]: first }) => [length, first])).toEqual(
      messages.map(({ length, [0]: first }) => [length, first]),
    )
    expect(outbox.bytes).toBe(0)
  }
})

test('a queue gives what an array would', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat()), { maxLength: 300 }), (steps) => {
      const queue = new Queue<number>()
      const twin: number[] = []
      for (const step of steps) {
        if (step === null) expect(queue.shift()).toBe(twin.shift())
        else {
          queue.push(step)
          twin.push(step)
        }
        expect(queue.length).toBe(twin.length)
      }
      expect([...queue]).toEqual(twin)
    }),
  )
})

test('back-off doubles up to its bound, jitters in the upper half, in integers, and starts anew', () => {
  const backoff = new Backoff({ minMs: 50, maxMs: 400, refusedMs: 1000 }, seededRandom(1))
  const waits = Array.from({ length: 6 }, () => backoff.next())
  ;[50, 100, 200, 400, 400, 400].forEach((bound, i) => {
    expect(waits[i]).toBeGreaterThanOrEqual(bound / 2)
    expect(waits[i]).toBeLessThanOrEqual(bound)
    expect(Number.isInteger(waits[i])).toBe(true)
  })
  backoff.reset()
  expect(backoff.next()).toBeLessThanOrEqual(50)
  expect(backoff.nextAfterRefusal()).toBeGreaterThanOrEqual(500)
})

test('tokens are the same only when they are', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(isSameToken(a, b)).toBe(a === b)
      expect(isSameToken(a, a)).toBe(true)
    }),
  )
  expect(isSameToken('secretsecret', 'secret')).toBe(false)
  expect(isSameToken('secret', '')).toBe(false)
})

test('addresses come apart and together again', () => {
  for (const address of [
    'tcp://localhost:7001',
    'tcp://[::1]:0',
    'ws://h.example:80/raft',
    'memory://n1',
    'tcp://:7000',
  ])
    expect(formatAddress(parseAddress(address))).toBe(address)
  expect(parseAddress('TCP://[fe80::1%eth0]:1')).toEqual({
    scheme: 'tcp',
    host: 'fe80::1%eth0',
    port: 1,
    path: '',
  })
  for (const bad of [
    '',
    'localhost:1',
    'tcp://a:70000',
    'tcp://user:pw@h:1',
    'tcp://h:1?token=x',
    'tcp://[::1',
    'tcp://a b:1',
  ])
    expect(() => parseAddress(bad), bad).toThrow(RpcError)
})

test('addresses of this machine are told from others', () => {
  expect(['localhost', '127.0.0.1', '127.9.9.9', '::1', 'a.localhost'].map(isLoopback)).not.toContain(false)
  expect(
    ['', '0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', 'localhost.example.org'].map(isLoopback),
  ).not.toContain(true)
})

test('a limit that is no number above 0, or that nobody knows, is refused by name', () => {
  expect(() => limitsWith({ messageBytesMax: 0 })).toThrow('messageBytesMax')
  expect(() => limitsWith({ idleMs: NaN })).toThrow('idleMs')
  expect(() => limitsWith({ mesageBytesMax: 5 } as never)).toThrow('there is no limit mesageBytesMax')
  expect(limitsWith({ idleMs: 5 }).idleMs).toBe(5)
})

/** One node's event loop stands still for two seconds (trap 18): late timers run first, then the mail of that time. */
import type { Channel, Clock, Transport } from '@lab/rpc'
import { describe, expect, test } from 'vitest'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, type Appender } from './appender.ts'

const STALL_MS = 2000

/** One node's event loop: what would run in it waits while it stands still. */
class EventLoop {
  readonly clock: Clock
  readonly #inner: Clock
  #stalled = false
  readonly #timers: (() => void)[] = []
  readonly #mail: (() => void)[] = []

  constructor(inner: Clock) {
    this.#inner = inner
    this.clock = {
      now: () => inner.now(),
      wallTime: () => inner.wallTime(),
      setTimer: (delay, callback, options) =>
        inner.setTimer(delay, () => this.#run(this.#timers, callback), options),
    }
  }

  stall(ms: number): void {
    this.#stalled = true
    this.#inner.setTimer(ms, () => {
      this.#stalled = false
      // Sockets are read after the timers that are due, and before those that these set.
      const mail = this.#mail.splice(0)
      this.#inner.setTimer(0, () => {
        for (const deliver of mail) deliver()
      })
      for (const fire of this.#timers.splice(0)) fire()
    })
  }

  around(transport: Transport): Transport {
    return {
      schemes: transport.schemes,
      connect: async (to, signal) => this.#gated(await transport.connect(to, signal)),
      listen: (at, accept) => transport.listen(at, (channel) => accept(this.#gated(channel))),
    }
  }

  #run(queue: (() => void)[], callback: () => void): void {
    if (this.#stalled) queue.push(callback)
    else callback()
  }

  #gated(channel: Channel): Channel {
    return new Proxy(channel, {
      get: (target, name): unknown => {
        if (name === 'receive')
          return (onMessage: (message: Uint8Array) => void) => {
            target.receive((message) => {
              this.#run(this.#mail, () => onMessage(message))
            })
          }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

async function start(seed: number): Promise<{ t: RaftCluster<Appender>; loops: Map<string, EventLoop> }> {
  const loops = new Map<string, EventLoop>()
  let newest: EventLoop | undefined
  const t = await RaftCluster.start<Appender>({
    seed,
    stateMachine: appender,
    transport: (own, clock) => {
      newest = new EventLoop(clock)
      return newest.around(own)
    },
    options: (id) => {
      if (newest === undefined) return {}
      loops.set(id, newest)
      return { clock: newest.clock }
    },
  })
  return { t, loops }
}

const elections = (t: RaftCluster<Appender>): number =>
  t.nodes.reduce((sum, node) => sum + node.metrics().elections, 0)

describe('an event loop that stands still for two seconds', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'of a follower: nobody campaigns, and it tells of the stall (seed %i)',
    async (seed) => {
      const { t, loops } = await start(seed)
      const leader = await t.leader()
      const slow = t.node(t.except(leader)[seed % 2] ?? '')
      const told: number[] = []
      slow.on('stall', ({ lateMs }) => told.push(lateMs))
      await t.advance(500)
      const before = elections(t)
      loops.get(slow.id)?.stall(STALL_MS)
      await t.settle(leader.propose('meanwhile'))
      await t.advance(STALL_MS + 3000)
      expect(elections(t)).toBe(before)
      expect(slow.metrics().campaigns).toBe(0)
      expect(told.length).toBeGreaterThan(0)
      expect(told[0]).toBeGreaterThan(STALL_MS / 2)
      expect(slow.metrics().stalls).toBe(told.length)
      await t.close()
    },
  )

  test.each([1, 2, 3, 4, 5, 6])(
    'of the leader: exactly one election, however it wakes (seed %i)',
    async (seed) => {
      const { t, loops } = await start(seed)
      const old = await t.leader()
      await t.settle(old.propose('before'))
      await t.advance(500)
      const before = elections(t)
      loops.get(old.id)?.stall(STALL_MS)
      await t.advance(STALL_MS + 3000)
      expect(elections(t) - before).toBe(1)
      const leader = await t.leader()
      expect(leader).not.toBe(old)
      expect(await t.settle(leader.propose('after'))).toBe(2)
      await t.settle(old.readBarrier())
      expect(old.status()).toMatchObject({ role: 'follower', leader: leader.id })
      await t.close()
    },
  )
})

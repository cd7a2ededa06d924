/** What the memory network does to messages, and what calls and streams make of it. All in virtual time. */
import { describe, expect, test } from 'vitest'
import {
  RpcError,
  bytesCodec,
  implement,
  notification,
  openLink,
  seededRandom,
  serve,
  service,
  stream,
  unary,
  type Channel,
  type Link,
  type LinkOptions,
  type Server,
  type TraceFields,
} from '../src/index.ts'
import { MemoryNetwork, labConditions, memory, type MemoryNetworkOptions } from '../src/memory/index.ts'
import { ManualClock } from '../src/testing/index.ts'

const Counter = service('counter', {
  add: unary<number, number>(),
  items: stream<number, number>(),
  note: notification<Uint8Array>({ message: bytesCodec }),
})

interface World {
  readonly clock: ManualClock
  readonly network: MemoryNetwork
  readonly server: Server
  readonly link: Link
  /** Arguments of `add`, in the order in which they ran. */
  readonly ran: number[]
  readonly notes: number[]
}

async function world(
  seed = 1,
  options: MemoryNetworkOptions = {},
  linkOptions: Partial<LinkOptions> = {},
): Promise<World> {
  const clock = new ManualClock()
  const random = seededRandom(seed)
  const network = new MemoryNetwork({ clock, random, ...options })
  const ran: number[] = []
  const notes: number[] = []
  const shared = { clock, random, ...(options.trace === undefined ? {} : { trace: options.trace }) }
  const server = await serve(
    { transport: memory(network), listen: 'memory://n1', identity: { nodeId: 'n1' }, ...shared },
    [
      implement(Counter, {
        add: (n) => {
          ran.push(n)
          return n + 1
        },
        async *items(count) {
          for (let n = 1; n <= count; n++) yield await Promise.resolve(n)
        },
        note: (bytes) => void notes.push(bytes[0] ?? -1),
      }),
    ],
  )
  const link = openLink('memory://n1', {
    transport: memory(network, { name: 'c1' }),
    identity: { nodeId: 'c1' },
    reconnect: { minMs: 20, maxMs: 100 },
    ...shared,
    ...linkOptions,
  })
  await clock.settle(link.ready())
  return { clock, network, server, link, ran, notes }
}

async function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => {
    expect(error).toBeInstanceOf(RpcError)
    return `${(error as RpcError).code} ${(error as RpcError).executed}`
  })
}

async function readAll(items: AsyncIterable<number>): Promise<number[]> {
  const got: number[] = []
  for await (const item of items) got.push(item)
  return got
}

describe('links', () => {
  test('each hop takes 0.2 to 1 ms, drawn anew, and a call two of them', async () => {
    const { clock, link } = await world()
    const client = link.client(Counter)
    const times = new Set<number>()
    for (let i = 0; i < 50; i++) {
      const before = clock.now()
      await clock.settle(client.add(i))
      const took = clock.now() - before
      expect(took).toBeGreaterThanOrEqual(0.4)
      expect(took).toBeLessThanOrEqual(2)
      times.add(took)
    }
    expect(times.size).toBeGreaterThan(40)
  })

  test('messages and bytes are counted for each direction', async () => {
    const { clock, link, network } = await world()
    const [before, back] = [network.counters('c1', 'n1'), network.counters('n1', 'c1')]
    await clock.settle(link.client(Counter).add(5))
    link.client(Counter).note(new Uint8Array(1000))
    await clock.advance(5)
    const after = network.counters('c1', 'n1')
    expect(after.sent - before.sent).toBe(2)
    expect(after.delivered - before.delivered).toBe(2)
    expect(after.bytesDelivered - before.bytesDelivered).toBeGreaterThan(1000)
    expect(network.counters('n1', 'c1').sent - back.sent).toBe(1)
    const all = network.counters()
    expect(all.sent).toBe(after.sent + network.counters('n1', 'c1').sent)
  })

  test('lost messages make calls time out as unknown; none runs twice and none gets another reply', async () => {
    const { clock, link, network, ran } = await world(2)
    network.set({ lossRate: 0.2 })
    const client = link.client(Counter)
    const outcomes = await clock.settle(
      Promise.all(Array.from({ length: 300 }, (_, i) => outcome(client.add(i, { timeout: 100 })))),
    )
    outcomes.forEach((got, i) => {
      if (got !== 'TIMEOUT unknown') expect(got).toBe(i + 1)
    })
    const succeeded = outcomes.filter((got) => typeof got === 'number').length
    // 0.8 × 0.8 of 300 is 192.
    expect(succeeded).toBeGreaterThan(150)
    expect(succeeded).toBeLessThan(235)
    expect(ran.length).toBeGreaterThan(succeeded)
    expect(new Set(ran).size).toBe(ran.length)
  })

  test('duplicated messages run no call twice, and give no stream an item twice', async () => {
    const { clock, link, network, ran } = await world(3)
    network.set({ duplicationRate: 1 })
    const client = link.client(Counter)
    const results = await clock.settle(Promise.all(Array.from({ length: 100 }, (_, i) => client.add(i))))
    expect(results).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    expect(ran).toHaveLength(100)
    expect(await clock.settle(readAll(client.items(50)))).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
    const { sent, delivered } = network.counters('c1', 'n1')
    expect(delivered).toBeGreaterThan(1.8 * sent)
  })

  test('with reordering calls still get their own replies, in another order', async () => {
    const { clock, link, network, ran } = await world(4)
    network.set({ reordering: true, latencyMs: [0.2, 30] })
    const client = link.client(Counter)
    const results = await clock.settle(Promise.all(Array.from({ length: 100 }, (_, i) => client.add(i))))
    expect(results).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    expect(ran).not.toEqual([...ran].sort((a, b) => a - b))
  })

  test('without reordering messages of one channel keep their order whatever they draw', async () => {
    const { clock, link, network, notes } = await world(5)
    network.set({ latencyMs: [0.2, 50] })
    for (let i = 0; i < 100; i++) link.client(Counter).note(Uint8Array.of(i))
    await clock.advance(100)
    expect(notes).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  test('conditions may be set for one direction', async () => {
    const { clock, link, network, ran } = await world(6)
    network.set({ lossRate: 1 }, { from: 'n1', to: 'c1' })
    expect(await clock.settle(outcome(link.client(Counter).add(1, { timeout: 50 })))).toBe('TIMEOUT unknown')
    expect(ran).toEqual([1])
    network.set({ lossRate: 0 }, { from: 'n1' })
    expect(await clock.settle(link.client(Counter).add(2))).toBe(3)
  })

  test("the labs' preset delays requests by up to 27 ms, loses one message in ten, holds back replies", async () => {
    const { clock, link, network } = await world(7)
    network.set(labConditions({ reliable: false, longReordering: true }))
    const client = link.client(Counter)
    const times: number[] = []
    let lost = 0
    await clock.settle(
      Promise.all(
        Array.from({ length: 400 }, async (_, i) => {
          const start = clock.now()
          if ((await outcome(client.add(i, { timeout: 5000 }))) === 'TIMEOUT unknown') lost++
          else times.push(clock.now() - start)
        }),
      ),
    )
    // 1 - 0.9 × 0.9 of 400 is 76.
    expect(lost).toBeGreaterThan(40)
    expect(lost).toBeLessThan(115)
    const held = times.filter((time) => time > 200).length
    expect(held / times.length).toBeGreaterThan(0.55)
    expect(held / times.length).toBeLessThan(0.78)
    expect(Math.max(...times)).toBeLessThan(2230)
  })
})

describe('cuts', () => {
  test('a one-way cut stops one direction only', async () => {
    const { clock, link, network, ran } = await world()
    network.cut('n1', 'c1')
    expect(await clock.settle(outcome(link.client(Counter).add(1, { timeout: 50 })))).toBe('TIMEOUT unknown')
    expect(ran).toEqual([1])
    network.heal()
    network.cut('c1', 'n1')
    expect(await clock.settle(outcome(link.client(Counter).add(2, { timeout: 50 })))).toBe('TIMEOUT unknown')
    expect(ran).toEqual([1])
    network.heal('c1', 'n1')
    expect(await clock.settle(link.client(Counter).add(3))).toBe(4)
  })

  test('what is on its way when the cut comes does not arrive', async () => {
    const { clock, link, network, notes } = await world()
    link.client(Counter).note(Uint8Array.of(1))
    network.partition(['c1'], ['n1'])
    await clock.advance(10)
    expect(notes).toEqual([])
  })

  test('keep-alive finds a partition; after it heals the link is up again', async () => {
    const { clock, link, network } = await world(1, {}, { limits: { keepAliveMs: 1000 } })
    network.partition(['c1', 'c2'], ['n1'])
    await clock.run(() => link.state !== 'up', { limitMs: 5000 })
    expect(link.lastError?.code).toBe('TIMEOUT')
    network.heal()
    await clock.run(() => link.state === 'up', { limitMs: 5000 })
    expect(await clock.settle(link.client(Counter).add(1))).toBe(2)
  })

  test('dialling a node that is cut off fails when its time is over, and a crashed one at once', async () => {
    const { clock, network, link } = await world()
    network.partition(['c2'], ['n1'])
    const dial = openLink('memory://n1', {
      transport: memory(network, { name: 'c2' }),
      clock,
      reconnect: false,
      limits: { handshakeMs: 700 },
    })
    const before = clock.now()
    await clock.settle(outcome(dial.ready()))
    expect(clock.now() - before).toBeGreaterThanOrEqual(700)
    network.crash('n1')
    await clock.run(() => link.state === 'down', { limitMs: 10 })
    expect(link.lastError?.code).toBe('CLOSED')
  })
})

describe('streams', () => {
  test('a lost item fails the stream with GAP', async () => {
    let gaps = 0
    for (let seed = 1; seed <= 20; seed++) {
      const { clock, link, network } = await world(seed)
      network.set({ lossRate: 0.1 }, { from: 'n1' })
      const got = await clock.settle(outcome(readAll(link.client(Counter).items(100))))
      if (got === 'GAP yes') gaps++
      else expect(got).toHaveLength(100)
    }
    expect(gaps).toBeGreaterThan(15)
  })

  test('a stream whose opening, last items, end or credit is lost never hangs', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { clock, link, network } = await world(seed)
      network.set({ lossRate: 0.3 })
      // Whatever is lost: within a few keep-alive periods it has ended, one way or the other.
      const got = await clock.settle(outcome(readAll(link.client(Counter).items(3))), { limitMs: 300_000 })
      if (Array.isArray(got)) expect(got).toEqual([1, 2, 3])
      else expect(got).toMatch(/^(GAP|TIMEOUT|CLOSED|UNREACHABLE) /)
    }
  })
})

describe('determinism', () => {
  async function run(seed: number): Promise<string> {
    const events: string[] = []
    const { clock, link, network } = await world(seed, {
      trace: (event) => events.push(JSON.stringify(event)),
    })
    network.set({ lossRate: 0.1, duplicationRate: 0.1, reordering: true, latencyMs: [0.2, 20] })
    const client = link.client(Counter)
    await clock.settle(
      Promise.all([
        ...Array.from({ length: 100 }, (_, i) => outcome(client.add(i, { timeout: 200 }))),
        outcome(readAll(client.items(30))),
      ]),
    )
    events.push(JSON.stringify(network.counters()), String(clock.now()))
    return events.join('\n')
  }

  test('equal seeds give equal traces, counters and times, another seed others', async () => {
    const first = await run(11)
    expect(await run(11)).toBe(first)
    expect(await run(12)).not.toBe(first)
  })

  test('a trace joins every send with its receipt or its loss', async () => {
    const events: TraceFields[] = []
    const { clock, link, network } = await world(9, { trace: (event) => events.push(event) })
    network.set({ lossRate: 0.2 })
    const client = link.client(Counter)
    await clock.settle(
      Promise.all(Array.from({ length: 50 }, (_, i) => outcome(client.add(i, { timeout: 100 })))),
    )
    await clock.advance(10)
    const of = (kind: string): string[] => events.filter(({ k }) => k === kind).map(({ m }) => String(m))
    const [sent, ended] = [of('send'), [...of('recv'), ...of('drop')]]
    expect(new Set(sent).size).toBe(sent.length)
    expect([...ended].sort()).toEqual([...sent].sort())
    expect(events.find(({ k }) => k === 'send')).toMatchObject({ n: 'c1', type: 'hello' })
    expect(
      events.some(
        ({ k, n, from, type }) => k === 'recv' && n === 'n1' && from === 'c1' && type === 'counter.add',
      ),
    ).toBe(true)
    expect(
      events.some(
        ({ k, n, from, type }) => k === 'recv' && n === 'c1' && from === 'n1' && type === 'counter.add reply',
      ),
    ).toBe(true)
  })
})

test('a channel to an end that is gone is reset by the next message', async () => {
  const clock = new ManualClock()
  const network = new MemoryNetwork({ clock, random: seededRandom(1) })
  let far: Channel | undefined
  await memory(network, { name: 'b' }).listen('memory://b', (channel) => {
    far = channel
    channel.receive(() => undefined)
  })
  const near = await clock.settle(
    memory(network, { name: 'a' }).connect('memory://b', new AbortController().signal),
  )
  network.cut('b', 'a')
  far?.close()
  await clock.advance(10)
  let end: { error: Error | undefined } | undefined
  void near.closed.then((closed) => {
    end = closed
  })
  await clock.advance(10)
  expect(end).toBeUndefined() // nobody could tell it
  network.heal()
  near.send(Uint8Array.of(1))
  await clock.advance(10)
  expect(end).toMatchObject({ error: { code: 'CLOSED' } })
})

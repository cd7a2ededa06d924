/** The labs' own tests of their network, by name. All but the clock's first turn is virtual time. */
import { expect, test } from 'vitest'
import { seededRandom, sleep } from '../src/index.ts'
import { LabNetwork, LabServer, ManualClock, type LabEnd, type LabValue } from '../src/testing/index.ts'

interface Lab {
  readonly clock: ManualClock
  readonly network: LabNetwork
  readonly server: LabServer
  /** Strings that `Handler2` got, in order. */
  readonly log: number[]
  end(name: string): LabEnd
}

function lab(seed = 1): Lab {
  const clock = new ManualClock()
  const network = new LabNetwork({ clock, random: seededRandom(seed) })
  const log: number[] = []
  const server = new LabServer({
    'Junk.Handler1': (args) => Number(args),
    'Junk.Handler2': (args) => {
      log.push(args as number)
      return `handler2-${Number(args).toFixed(0)}`
    },
    'Junk.Handler3': async () => {
      await sleep(clock, 20_000)
      return -1
    },
    'Junk.Handler4': (args) => ({ x: `pointer ${String((args as { x: number }).x)}` }),
    'Junk.Handler5': (args) => ({ x: `value ${String((args as { x: number }).x)}` }),
    'Junk.Handler6': (args) => (args as string).length,
    'Junk.Handler7': (args) => 'y'.repeat(args as number),
  })
  network.addServer('server99', server)
  const end = (name: string): LabEnd => {
    const made = network.makeEnd(name)
    network.connect(name, 'server99')
    network.enable(name, true)
    return made
  }
  return { clock, network, server, log, end }
}

async function call(
  { clock }: Lab,
  end: LabEnd,
  method: string,
  args: LabValue,
): Promise<LabValue | undefined> {
  return clock.settle(end.call(`Junk.${method}`, args))
}

test('Basic (labrpc): handlers from int to string and from string to int reply', async () => {
  const t = lab()
  const end = t.end('end1-99')
  expect(await call(t, end, 'Handler2', 111)).toBe('handler2-111')
  expect(await call(t, end, 'Handler1', '9099')).toBe(9099)
})

test('Types (labrpc): a handler gets a copy of its arguments and the caller one of the reply', async () => {
  const t = lab()
  const end = t.end('end1-99')
  const args = { x: 7 }
  const reply = end.call('Junk.Handler4', args)
  args.x = 8
  expect(await t.clock.settle(reply)).toEqual({ x: 'pointer 7' })
  expect(await call(t, end, 'Handler5', args)).toEqual({ x: 'value 8' })
})

test('Disconnect (labrpc): an end that is not enabled gets no reply, and works once it is', async () => {
  const t = lab()
  const end = t.end('end1-99')
  t.network.enable('end1-99', false)
  expect(await call(t, end, 'Handler2', 111)).toBeUndefined()
  t.network.enable('end1-99', true)
  expect(await call(t, end, 'Handler1', '9099')).toBe(9099)
})

test('Counts (labrpc): 17 calls are counted 17 times', async () => {
  const t = lab()
  const end = t.end('end1-99')
  for (let i = 0; i < 17; i++) expect(await call(t, end, 'Handler2', i)).toBe(`handler2-${String(i)}`)
  expect(t.network.count('server99')).toBe(17)
  expect(t.network.totalCount).toBe(17)
})

test('Bytes (labrpc): arguments and replies are counted in bytes', async () => {
  const t = lab()
  const end = t.end('end1-99')
  for (let i = 0; i < 17; i++) expect(await call(t, end, 'Handler6', 'x'.repeat(284))).toBe(284)
  const sent = t.network.totalBytes
  expect(sent).toBeGreaterThanOrEqual(4828)
  expect(sent).toBeLessThanOrEqual(6000)
  for (let i = 0; i < 17; i++) expect(await call(t, end, 'Handler7', 107)).toBe('y'.repeat(107))
  const received = t.network.totalBytes - sent
  expect(received).toBeGreaterThanOrEqual(1800)
  expect(received).toBeLessThanOrEqual(2500)
})

test('ConcurrentMany (labrpc): 20 ends make 10 calls each at the same time', async () => {
  const t = lab()
  const client = async (i: number): Promise<number> => {
    const end = t.end(`end${String(i)}`)
    for (let j = 0; j < 10; j++) {
      const arg = i * 100 + j
      expect(await end.call('Junk.Handler2', arg)).toBe(`handler2-${String(arg)}`)
    }
    return 10
  }
  const done = await t.clock.settle(Promise.all(Array.from({ length: 20 }, (_, i) => client(i))))
  expect(done.reduce((sum, count) => sum + count)).toBe(200)
  expect(t.network.count('server99')).toBe(200)
})

test('Unreliable (labrpc): of 300 calls some succeed, some fail, and no reply is wrong', async () => {
  const t = lab()
  t.network.reliable = false
  const client = async (i: number): Promise<number> => {
    const reply = await t.end(`end${String(i)}`).call('Junk.Handler2', i * 100)
    if (reply === undefined) return 0
    expect(reply).toBe(`handler2-${String(i * 100)}`)
    return 1
  }
  const done = await t.clock.settle(Promise.all(Array.from({ length: 300 }, (_, i) => client(i))))
  const successes = done.reduce((sum, count) => sum + count)
  // 0.9 × 0.9 of 300 is 243; five standard deviations of it are 34.
  expect(successes).toBeGreaterThan(243 - 34)
  expect(successes).toBeLessThan(243 + 34)
})

test('ConcurrentOne (labrpc): 20 calls on one end at the same time', async () => {
  const t = lab()
  const end = t.end('end1')
  const replies = Array.from({ length: 20 }, (_, i) => end.call('Junk.Handler2', i))
  const got = await t.clock.settle(Promise.all(replies))
  expect(got).toEqual(Array.from({ length: 20 }, (_, i) => `handler2-${String(i)}`))
  expect(t.log).toHaveLength(20)
  expect(t.network.count('server99')).toBe(20)
})

test('Regression1 (labrpc): calls stuck in their time-outs do not hold up a later one', async () => {
  const t = lab()
  const end = t.end('end1-99')
  t.network.enable('end1-99', false)
  const stuck = Array.from({ length: 20 }, (_, i) => end.call('Junk.Handler2', i))
  await t.clock.advance(100)
  t.network.enable('end1-99', true)
  const before = t.clock.now()
  expect(await call(t, end, 'Handler2', 99)).toBe('handler2-99')
  expect(t.clock.now() - before).toBeLessThan(30)
  expect(await t.clock.settle(Promise.all(stuck))).toEqual(Array.from({ length: 20 }, () => undefined))
  expect(t.log).toEqual([99])
  expect(t.network.count('server99')).toBe(1)
})

test('Killed (labrpc): a call in a slow handler returns once the server is deleted', async () => {
  const t = lab()
  let reply: unknown = 'none'
  void t
    .end('end1-99')
    .call('Junk.Handler3', 99)
    .then((value) => {
      reply = value
    })
  await t.clock.advance(1100)
  expect(reply).toBe('none')
  t.network.deleteServer('server99')
  await t.clock.advance(100)
  expect(reply).toBeUndefined()
})

test('Benchmark (labrpc): 100 000 calls, one after the other', async () => {
  const t = lab()
  const end = t.end('end1-99')
  const loop = async (): Promise<void> => {
    for (let i = 0; i < 100_000; i++) await end.call('Junk.Handler2', i)
  }
  await t.clock.settle(loop())
  expect(t.network.count('server99')).toBe(100_000)
}, 30_000)

test('a call to an end that is cut off fails within 100 ms, with long delays within 7 s', async () => {
  for (const [long, limit] of [
    [false, 100],
    [true, 7000],
  ] as const) {
    const t = lab()
    t.network.longDelays = long
    const end = t.network.makeEnd('nowhere')
    const times: number[] = []
    for (let i = 0; i < 100; i++) {
      const before = t.clock.now()
      expect(await call(t, end, 'Handler2', i)).toBeUndefined()
      times.push(t.clock.now() - before)
    }
    expect(Math.max(...times)).toBeLessThan(limit)
    expect(Math.max(...times)).toBeGreaterThan(limit * 0.9)
    expect(t.network.totalCount).toBe(100)
  }
})

test('with long reordering two replies in three are late, by up to 2.2 s, and none is lost', async () => {
  const t = lab()
  t.network.longReordering = true
  const end = t.end('end1-99')
  let late = 0
  for (let i = 0; i < 300; i++) {
    const before = t.clock.now()
    expect(await call(t, end, 'Handler2', i)).toBe(`handler2-${String(i)}`)
    const took = t.clock.now() - before
    expect(took).toBeLessThan(2202)
    if (took > 200) late++
  }
  expect(late).toBeGreaterThan(200 - 42)
  expect(late).toBeLessThan(200 + 42)
})

test('the reply of an instance that was replaced while it worked is not delivered', async () => {
  const t = lab()
  const reply = t.end('end1-99').call('Junk.Handler3', 1)
  await t.clock.advance(19_990)
  t.network.addServer('server99', new LabServer({}))
  expect(await t.clock.settle(reply)).toBeUndefined()
})

test('after cleanup a call that no handler has taken returns nothing', async () => {
  const t = lab()
  const end = t.end('end1-99')
  const pending = end.call('Junk.Handler2', 1)
  t.network.cleanup()
  expect(await t.clock.settle(pending)).toBeUndefined()
  expect(t.log).toEqual([])
})

test('equal seeds give equal traces, another seed another one', async () => {
  const run = async (seed: number): Promise<string> => {
    const clock = new ManualClock()
    const events: string[] = []
    const network = new LabNetwork({
      clock,
      random: seededRandom(seed),
      trace: (event) => events.push(`${String(clock.now())} ${JSON.stringify(event)}`),
    })
    network.reliable = false
    network.longReordering = true
    network.addServer('s', new LabServer({ 'S.echo': (args) => args }))
    const ends = ['a', 'b', 'c'].map((name) => {
      const end = network.makeEnd(name)
      network.connect(name, 's')
      network.enable(name, name !== 'c')
      return end
    })
    const calls = ends.flatMap((end) =>
      Array.from({ length: 50 }, (_, i) => end.call('S.echo', new Uint8Array([i]))),
    )
    await clock.settle(Promise.all(calls))
    return events.join('\n')
  }
  expect(await run(3)).toBe(await run(3))
  expect(await run(3)).not.toBe(await run(4))
})

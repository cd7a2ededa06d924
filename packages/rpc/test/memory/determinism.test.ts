import { describe, expect, test } from 'vitest'
import { type TraceFields } from '../../src/index.ts'
import { Counter, outcome, readAll, world } from './world.ts'

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

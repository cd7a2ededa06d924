import { describe, expect, test } from 'vitest'
import { labConditions } from '../../src/memory/index.ts'
import { Counter, outcome, readAll, world } from './world.ts'

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

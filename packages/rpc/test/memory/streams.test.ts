import { describe, expect, test } from 'vitest'
import { Counter, outcome, readAll, world } from './world.ts'

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

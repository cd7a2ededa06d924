import { describe, test } from 'vitest'
import { seededRandom } from '../../src/index.ts'
import { MemoryNetwork, memory } from '../../src/memory/index.ts'
import { ManualClock, transportSuite } from '../../src/testing/index.ts'

describe('memory, without latency', () => {
  let next = 0
  const open = () => ({
    dial: memory(undefined, { name: 'dialler' }),
    listen: memory(),
    nextAddress: () => `memory://n${String(++next)}:0`,
  })
  for (const { title, run } of transportSuite({ open })) test(title, run)
})

describe('memory, in virtual time', () => {
  const clock = new ManualClock()
  const open = () => {
    const network = new MemoryNetwork({ clock, random: seededRandom(1) })
    return {
      dial: memory(network, { name: 'dialler' }),
      listen: memory(network, { name: 'listener' }),
      nextAddress: () => 'memory://listener:0',
    }
  }
  for (const { title, run } of transportSuite({ open, clock }))
    test(title, async () => {
      await clock.settle(run())
    })
})

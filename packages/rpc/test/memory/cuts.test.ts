import { describe, expect, test } from 'vitest'
import { openLink, seededRandom, type Channel } from '../../src/index.ts'
import { MemoryNetwork, memory } from '../../src/memory/index.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { Counter, outcome, world } from './world.ts'

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

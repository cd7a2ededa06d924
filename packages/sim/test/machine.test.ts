import { sleep } from '@lab/rpc'
import { expect, test } from 'vitest'
import { World } from '@lab/sim'

/** What a process on a machine of a fresh world notes of its own time. */
function ticking(
  world: World,
  every: number,
): { readonly machine: ReturnType<World['add']>; readonly ticks: number[] } {
  const machine = world.add('n1')
  const { clock } = machine.boot()
  const ticks: number[] = []
  const tick = (): void => {
    ticks.push(Math.round(world.now))
    clock.setTimer(every, tick)
  }
  clock.setTimer(every, tick)
  return { machine, ticks }
}

test('a paused process does nothing, and then first what came due', async () => {
  const world = new World({ seed: 1 })
  const { machine, ticks } = ticking(world, 10)
  await world.advance(25)
  machine.pause()
  await world.advance(100)
  machine.resume()
  await world.advance(11)
  expect(ticks).toEqual([10, 20, 125, 135])
})

test('a killed process never does anything again', async () => {
  const world = new World({ seed: 1 })
  const { machine, ticks } = ticking(world, 10)
  await world.advance(15)
  machine.kill()
  await world.advance(100)
  expect(ticks).toEqual([10])
  expect(machine.isUp).toBe(false)
})

test('a clock that runs twice as fast fires twice as often, from the next timer on; a slower one is never early', async () => {
  const world = new World({ seed: 1 })
  const { machine, ticks } = ticking(world, 10)
  await world.advance(10.1)
  machine.clock.setRate(2)
  await world.advance(20)
  machine.clock.setRate(0.5)
  await world.advance(40)
  expect(ticks).toEqual([10, 20, 25, 30, 50, 70])
})

test('somebody who sets the wall clock moves neither timers nor durations', async () => {
  const world = new World({ seed: 1 })
  const machine = world.add('n1')
  const { clock } = machine.boot()
  const wall = clock.wallTime()
  machine.clock.jump(-3_600_000)
  await world.settle(sleep(clock, 50), 1000)
  expect(clock.now()).toBe(50)
  expect(clock.wallTime() - wall).toBe(50 - 3_600_000)
})

test('a write and a sync take virtual time, a crash in between tears what is under way', async () => {
  const outcomes = new Set<string>()
  for (let seed = 1; seed <= 100; seed++) {
    const world = new World({ seed })
    const machine = world.add('n1')
    machine.disk.put('f', new Uint8Array(1024))
    const { disk } = machine.boot()
    const file = await world.settle(disk.open('f', { durableWrites: true }), 100)
    expect(world.now).toBeGreaterThan(0)
    let answered = false
    void file.write(new Uint8Array(1024).fill(7), 0).then(() => {
      answered = true
    })
    machine.crash()
    await world.advance(10)
    expect(answered).toBe(false)
    const found = machine.disk.bytes('f')
    outcomes.add(`${String(found[0])}${String(found[600])}`)
  }
  expect(outcomes).toEqual(new Set(['00', '07', '70', '77']))
})

test('what a killed process wrote is there for the next one and may still be lost with the power', async () => {
  const kept = { kill: 0, crash: 0 }
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World({ seed })
    const machine = world.add('n1')
    machine.disk.put('f', new Uint8Array(4))
    const { disk } = machine.boot()
    const file = await world.settle(disk.open('f'), 100)
    await world.settle(file.write(new Uint8Array([1, 2, 3, 4]), 0), 100)
    machine.kill()
    if (machine.disk.bytes('f')[0] === 1) kept.kill++
    machine.crash()
    if (machine.disk.bytes('f')[0] === 1) kept.crash++
  }
  expect(kept.kill).toBe(20)
  expect(kept.crash).toBeGreaterThan(0)
  expect(kept.crash).toBeLessThan(20)
})

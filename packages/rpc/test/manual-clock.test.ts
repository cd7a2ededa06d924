import { expect, test } from 'vitest'
import { sleep } from '../src/index.ts'
import { ManualClock } from '../src/testing/index.ts'

test('timers fire in order of time, and of creation within one time', async () => {
  const clock = new ManualClock()
  const fired: string[] = []
  const note = (name: string) => () => fired.push(`${name}@${String(clock.now())}`)
  clock.setTimer(20, note('late'))
  clock.setTimer(10, note('first'))
  clock.setTimer(10, note('second'))
  clock.setTimer(0, note('now'))
  expect(fired).toEqual([])
  await clock.advance(15)
  expect(fired).toEqual(['now@0', 'first@10', 'second@10'])
  expect(clock.now()).toBe(15)
  await clock.advance(5)
  expect(fired.at(-1)).toBe('late@20')
})

test('every promise reaction runs before time moves on', async () => {
  const clock = new ManualClock()
  const seen: number[] = []
  const loop = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) {
      await sleep(clock, 10)
      for (let j = 0; j < 50; j++) await Promise.resolve()
      seen.push(clock.now())
    }
  }
  void loop()
  await clock.advance(30)
  expect(seen).toEqual([10, 20, 30])
})

test('a cancelled timer never fires, and many of them take no room', async () => {
  const clock = new ManualClock()
  for (let i = 0; i < 10_000; i++)
    clock.setTimer(1000 + i, () => expect.unreachable('a cancelled timer fired')).cancel()
  let fired = 0
  const timer = clock.setTimer(5, () => fired++)
  expect(clock.waitingTimers).toBe(1)
  await clock.advance(20_000)
  timer.cancel()
  timer.cancel()
  expect(fired).toBe(1)
  expect(clock.waitingTimers).toBe(0)
})

test('timers fire in order whatever the order in which they were set and cancelled', async () => {
  const clock = new ManualClock()
  const fired: number[] = []
  let state = 7
  const random = (): number => (state = (state * 1103515245 + 12345) % 2147483648)
  const expected: number[] = []
  for (let i = 0; i < 2000; i++) {
    const at = random() % 500
    const timer = clock.setTimer(at, () => fired.push(at))
    if (random() % 3 === 0) timer.cancel()
    else expected.push(at)
  }
  await clock.advance(500)
  expect(fired).toEqual(expected.sort((a, b) => a - b))
})

test('run stops as soon as its condition holds, and says so when it never will', async () => {
  const clock = new ManualClock()
  let count = 0
  const tick = (): void => {
    count++
    clock.setTimer(10, tick)
  }
  tick()
  await clock.run(() => count === 5)
  expect(clock.now()).toBe(40)
  await expect(clock.run(() => false, { limitMs: 100 })).rejects.toThrow('within 100 ms')
  await expect(new ManualClock().run(() => false)).rejects.toThrow('no timer is left')
})

test('settle gives the value of a promise that needs time, or what it rejects with', async () => {
  const clock = new ManualClock()
  expect(
    await clock.settle(
      sleep(clock, 1e6).then(() => 'slept'),
      { limitMs: 2e6 },
    ),
  ).toBe('slept')
  await expect(clock.settle(Promise.reject(new Error('no')))).rejects.toThrow('no')
})

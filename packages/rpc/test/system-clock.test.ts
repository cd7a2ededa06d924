import { expect, test } from 'vitest'
import { systemClock } from '../src/index.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a timer without a delay fires in the next turn of the event loop, not a millisecond later', async () => {
  const fired: string[] = []
  systemClock.setTimer(0, () => {
    fired.push('first')
    systemClock.setTimer(0, () => fired.push('second'))
  })
  expect(fired).toEqual([])
  await turn()
  expect(fired).toEqual(['first'])
  await turn()
  expect(fired).toEqual(['first', 'second'])
})

test('a timer without a delay that is cancelled does not fire', async () => {
  let fired = false
  systemClock
    .setTimer(0, () => {
      fired = true
    })
    .cancel()
  await turn()
  expect(fired).toBe(false)
})

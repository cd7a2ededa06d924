import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { onAbort } from '../src/on-abort.ts'

test('any number of waiters share one listener of the signal, and none is left when the last has gone', () => {
  const { signal } = new AbortController()
  const offs = Array.from({ length: 1000 }, () => onAbort(signal, () => undefined))
  expect(getEventListeners(signal, 'abort')).toHaveLength(1)
  for (const off of offs) off()
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('each is called once; those taken back are not, also not when an earlier one takes them back', () => {
  const controller = new AbortController()
  const { signal } = controller
  const called: string[] = []
  const offs = new Map<string, () => void>()
  const wait = (name: string, then: () => void = () => undefined): void => {
    offs.set(
      name,
      onAbort(signal, () => {
        called.push(name)
        then()
      }),
    )
  }
  wait('first', () => offs.get('third')?.())
  wait('second')
  wait('third')
  wait('fourth')
  offs.get('second')?.()
  offs.get('second')?.()
  controller.abort()
  offs.get('fourth')?.()
  expect(called).toEqual(['first', 'fourth'])
})

test('it can be waited for again after all have gone', () => {
  const controller = new AbortController()
  onAbort(controller.signal, () => undefined)()
  let called = 0
  onAbort(controller.signal, () => called++)
  controller.abort()
  expect(called).toBe(1)
})

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { seededRandom } from '../src/random.ts'
import { WaitList, type Place } from '../src/wait-list.ts'

const MB = 1024 * 1024

test('it does what an array would that is searched, in any order of coming and leaving', () => {
  const random = seededRandom(1)
  const list = new WaitList<number>()
  let model: number[] = []
  const places = new Map<number, Place<number>>()
  for (let step = 0; step < 5000; step++) {
    const what = Math.floor(random.next() * 4)
    if (what < 2) {
      places.set(step, list.add(step))
      model.push(step)
    } else if (what === 2) {
      const who = [...places.keys()][Math.floor(random.next() * places.size)]
      const place = who === undefined ? undefined : places.get(who)
      if (who === undefined || place === undefined) continue
      expect(list.leave(place)).toBe(model.includes(who))
      model = model.filter((other) => other !== who)
    } else expect(list.shift()).toBe(model.shift() ?? null)
    expect(list.first).toBe(model[0] ?? null)
    expect(list.isEmpty).toBe(model.length === 0)
  }
  expect(model.length).toBeGreaterThan(20)
  expect(list.takeAll()).toEqual(model)
  expect(list.takeAll()).toEqual([])
})

test('what has left is freed by a young collection, also when somebody before it had grown old', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void
  const list = new WaitList<ArrayBuffer>()
  let place = list.add(new ArrayBuffer(MB))
  collect()
  const before = process.memoryUsage().arrayBuffers
  for (let count = 0; count < 50; count++) {
    const next = list.add(new ArrayBuffer(MB))
    list.leave(place)
    place = next
    if (count % 5 === 0) collect({ type: 'minor' })
  }
  collect({ type: 'minor' })
  collect({ type: 'minor' })
  expect((process.memoryUsage().arrayBuffers - before) / MB).toBeLessThan(10)
  expect(list.first?.byteLength).toBe(MB)
})

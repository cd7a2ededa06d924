import { RpcError } from '@lab/rpc'
import { ManualClock } from '@lab/rpc/testing'
import { expect, test } from 'vitest'
import { Greeter } from '../../src/driver/greeter.ts'
import { WELCOME, decodeGreetings, encodeVerdicts } from '../../src/driver/greeting.ts'

const GREETING = { index: 1, addresses: ['tcp://127.0.0.1:1'], starts: null }

test('a greeting that failed over a link that stands is said again, and one over a link that broke is not', async () => {
  const clock = new ManualClock()
  const said: number[][] = []
  let isLinked = true
  const hello = (body: Uint8Array): Promise<Uint8Array> => {
    said.push([...decodeGreetings(body).keys()])
    if (said.length === 2) return Promise.resolve(encodeVerdicts([WELCOME, WELCOME]))
    return Promise.reject(new RpcError('BUSY', 'too much in flight'))
  }
  const greeter = new Greeter({
    clock,
    greeting: () => GREETING,
    hello: () => (isLinked ? hello : null),
    onUnwelcome: () => undefined,
  })
  greeter.greet([3, 7])
  await clock.advance(2000)
  expect(said).toEqual([
    [3, 7],
    [3, 7],
  ])
  greeter.greet([3])
  await clock.advance(1)
  isLinked = false
  await clock.advance(2000)
  expect(said).toHaveLength(3)
  greeter.close()
})

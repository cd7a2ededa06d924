import { jsonCodec } from '@lab/rpc'
import { expect, test } from 'vitest'
import { ReplicatedMachine } from '../../src/rsm/replicated-machine.ts'

test('a snapshot that is given up halfway lets the machine forget the state of that moment', async () => {
  let forgotten = false
  const codec = jsonCodec<unknown>()
  const machine = new ReplicatedMachine({
    codec,
    resultCodec: codec,
    queryCodec: codec,
    answerCodec: codec,
    machine: {
      apply: () => null,
      *snapshot() {
        try {
          for (;;) yield new Uint8Array(10)
        } finally {
          forgotten = true
        }
      },
      restore: () => undefined,
    },
  })
  let chunks = 0
  for await (const chunk of machine.snapshot()) {
    expect(chunk.length).toBeGreaterThan(0)
    if (++chunks === 3) break
  }
  expect(forgotten).toBe(true)
})

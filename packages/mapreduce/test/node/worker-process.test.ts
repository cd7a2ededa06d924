import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { work } from '../../src/node/worker-process.ts'

test('a worker whose job has ended, in whatever way, listens to its signal no more: the next job has the same one', async () => {
  const { signal } = new AbortController()
  const ended = work({ join: 'tcp://localhost:1', secret: 'none', patienceMs: 1, signal })
  await expect(ended).rejects.toThrow()
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

import { describe, expect, test } from 'vitest'
import { Harness, failure, transports } from './harness.ts'

describe.each(Object.keys(transports))('over %s', (name) => {
  const h = new Harness(name)

  test('a stream gives its items in order and ends', async () => {
    const { client } = await h.started()
    const got: number[] = []
    for await (const { n } of client.count({ to: 5000 })) got.push(n)
    expect(got).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1))
    const again: number[] = []
    const numbers = client.count({ to: 2 })
    for await (const { n } of numbers) again.push(n)
    for await (const { n } of numbers) again.push(n)
    expect(again).toEqual([1, 2, 1, 2])
  })

  test('a slow reader holds back the handler: it is never more than a window ahead', async () => {
    const { server, seen } = await h.start()
    const reader = await h.client(server, { limits: { streamWindowBytes: 10_000 } })
    let read = 0
    for await (const { n } of reader.count({ to: 200, bytes: 1000 })) {
      expect(n).toBe(++read)
      await new Promise((resolve) => setTimeout(resolve, 1))
      // A window, half of it granted ahead, and the one that overshoots.
      expect(seen.produced - read).toBeLessThanOrEqual(17)
    }
    expect(read).toBe(200)
  })

  test('leaving the loop ends the stream at the server', async () => {
    const { client, seen, server } = await h.started()
    for await (const n of client.endless()) if (n === 10) break
    await expect.poll(() => [seen.returned, server.metrics().inFlight]).toEqual([1, 0])
    expect(seen.aborted).toEqual(['CANCELLED'])
  })

  test('aborting its signal ends a stream with CANCELLED', async () => {
    const { client, seen } = await h.started()
    const abort = new AbortController()
    const read = async (): Promise<void> => {
      for await (const n of client.endless(undefined, { signal: abort.signal })) if (n === 10) abort.abort()
    }
    expect(await failure(read())).toMatchObject({ code: 'CANCELLED' })
    await expect.poll(() => seen.returned).toBe(1)
  })

  test('a stream whose handler throws gives what came before, then the error', async () => {
    const { client } = await h.started()
    const got: number[] = []
    const read = async (): Promise<void> => {
      for await (const n of client.broken()) got.push(n)
    }
    expect(await failure(read())).toMatchObject({ code: 'HANDLER_FAILED', remoteCode: 'NOT_TODAY' })
    expect(got).toEqual([1])
  })
})

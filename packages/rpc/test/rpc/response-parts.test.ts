import { describe, expect, test } from 'vitest'
import {
  bytesCodec,
  connect,
  implement,
  serve,
  service,
  unary,
  ProtocolError,
  type CallContext,
} from '../../src/index.ts'
import { closing, failure, transports } from './harness.ts'

const Lists = service('lists', {
  count: unary<number, number[]>(),
  large: unary<number, Uint8Array>({ response: bytesCodec }),
})

describe.each(Object.entries(transports))('a response in parts, over %s', (_name, make) => {
  const transport = make()

  /** Sends all but the last number ahead; keeps what it knows of each call. */
  async function start() {
    const contexts: CallContext[] = []
    const server = await serve({ transport, listen: 'localhost:0' }, [
      implement(Lists, {
        async count(upTo, context) {
          contexts.push(context)
          for (let number = 1; number < upTo; number++) context.part([number])
          await Promise.resolve()
          return [upTo]
        },
        large: (bytes, context) => {
          context.part(new Uint8Array(bytes))
          return new Uint8Array(0)
        },
      }),
    ])
    closing({ close: () => server.close({ drainMs: 50 }) })
    const client = closing(
      await connect(Lists, server.address, { transport, limits: { messageBytesMax: 1000 } }),
    )
    return { client, contexts }
  }

  test('each part is told in order, before the response', async () => {
    const { client } = await start()
    const parts: number[][] = []
    const last = await client.count(4, { onPart: (part) => parts.push(part) })
    expect(parts).toEqual([[1], [2], [3]])
    expect(last).toEqual([4])
  })

  test('a caller that does not ask for parts gets the response alone', async () => {
    const { client } = await start()
    expect(await client.count(4)).toEqual([4])
  })

  test('a part that comes after the end of its call is nobody’s', async () => {
    const { client, contexts } = await start()
    const parts: number[][] = []
    await client.count(1, { onPart: (part) => parts.push(part) })
    contexts[0]?.part([7])
    expect(await client.count(1)).toEqual([1])
    expect(parts).toEqual([])
  })

  test('a part that fits no message fails the call, and the handler can know before', async () => {
    const { client, contexts } = await start()
    await client.count(1)
    expect(contexts[0]?.responseBytesMax).toBe(1000)
    const parts: number[] = []
    await client.large(1000, { onPart: ({ length }) => parts.push(length) })
    expect(parts).toEqual([1000])
    expect(await failure(client.large(1001))).toMatchObject({ code: 'TOO_LARGE', executed: 'yes' })
  })

  test('a part that makes no sense ends the connection: its call is unknown', async () => {
    const { client } = await start()
    const onPart = (): void => {
      throw new ProtocolError('not a list of ours')
    }
    expect(await failure(client.count(3, { onPart }))).toMatchObject({
      code: 'PROTOCOL',
      executed: 'unknown',
    })
  })
})

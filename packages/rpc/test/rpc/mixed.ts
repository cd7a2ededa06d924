/** A service with a method of every kind, for tests. */
import {
  bytesCodec,
  implement,
  notification,
  service,
  stream,
  unary,
  type CallContext,
  type RpcError,
} from '../../src/index.ts'

export const Mixed = service('mixed', {
  hello: unary<{ name: string }, string>(),
  echo: unary<Uint8Array, Uint8Array>({ request: bytesCodec, response: bytesCodec }),
  nothing: unary(),
  fail: unary<string>(),
  wait: unary<number, string>(),
  context: unary<undefined, { role: string; nodeId: string; hasDeadline: boolean }>(),
  odd: unary<undefined, unknown>(),
  count: stream<{ to: number; bytes?: number }, { n: number; pad: string }>(),
  endless: stream<undefined, number>(),
  broken: stream<undefined, number>(),
  note: notification<string>(),
  notes: unary<undefined, string[]>(),
})

export class Refusal extends Error {
  readonly code = 'NOT_TODAY'
  readonly details = { until: 'tomorrow' }
}

/** What the handlers of one server have seen. */
export class Seen {
  readonly notes: string[] = []
  readonly aborted: string[] = []
  produced = 0
  returned = 0
  executed = 0
  release: () => void = () => undefined
}

export function mixed(seen: Seen) {
  const untilAborted = (ctx: CallContext): Promise<void> =>
    new Promise((resolve) => {
      ctx.signal.addEventListener('abort', () => {
        seen.aborted.push((ctx.signal.reason as RpcError).code)
        resolve()
      })
    })
  return implement(Mixed, {
    hello: ({ name }) => `hello ${name}`,
    echo: (bytes) => bytes,
    nothing: () => undefined,
    fail: (message) => {
      throw new Refusal(message)
    },
    wait: async (ms, ctx) => {
      seen.executed++
      await Promise.race([
        untilAborted(ctx),
        new Promise<void>((resolve) => {
          seen.release = resolve
          if (ms > 0) setTimeout(resolve, ms)
        }),
      ])
      return 'waited'
    },
    context: (_, { peer, deadline }) => ({
      role: peer.role,
      nodeId: peer.nodeId,
      hasDeadline: deadline < Infinity,
    }),
    odd: () => ({ when: new Date(0) }),
    async *count({ to, bytes = 0 }) {
      for (let n = 1; n <= to; n++) {
        seen.produced++
        yield await Promise.resolve({ n, pad: 'x'.repeat(bytes) })
      }
    },
    async *endless(_, ctx) {
      void untilAborted(ctx)
      try {
        for (let n = 1; ; n++) yield await Promise.resolve(n)
      } finally {
        seen.returned++
      }
    },
    async *broken() {
      yield await Promise.resolve(1)
      throw new Refusal('broke')
    },
    note: (text) => {
      if (text === 'bad') throw new Error('bad note')
      seen.notes.push(text)
    },
    notes: () => seen.notes,
  })
}

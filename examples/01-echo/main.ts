// A service, a server and a client. Over memory, TCP or WebSocket: only `transport` differs.
import { connect, implement, RpcError, serve, service, stream, unary } from '@lab/rpc'
import { chooseTransport } from '../shared/transport.ts'

// The contract: what a method takes and what it gives. Both sides import it; it holds no code of either.
const Greeter = service('greeter', {
  hello: unary<{ name: string }, string>(),
  slow: unary<null, string>(),
  countdown: stream<{ from: number }, number>(),
})

// The server side. A method may be async; a stream is an async generator.
let streamsEnded = 0
const greeter = implement(Greeter, {
  hello: ({ name }) => `Hello, ${name}!`,
  slow: (_request, { signal }) =>
    new Promise((resolve) => {
      // The caller's deadline aborts the handler too: work that nobody waits for any more can stop.
      signal.addEventListener('abort', () => resolve('too late'))
    }),
  async *countdown({ from }) {
    try {
      for (let n = from; n >= 0; n--) yield n
    } finally {
      streamsEnded++
    }
  },
})

const transport = chooseTransport() // memory(), tcp() or webSocket()

const server = await serve({ transport, listen: 'localhost:0' }, [greeter])
console.log(`serving at ${server.address}`)

const client = await connect(Greeter, server.address, { transport })

console.log(await client.hello({ name: 'Ada' }))

// Calls do not wait for each other: they share one connection, and answers come as they are ready.
const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => client.hello({ name: `nr. ${i}` })))
console.log(`${new Set(answers).size} different answers to 100 calls at once`)

// A stream is read at the reader's pace …
const numbers: number[] = []
for await (const n of client.countdown({ from: 3 })) numbers.push(n)
console.log(`${numbers.join(', ')}, lift-off`)

// … and ends on the server, too, when the reader has enough.
for await (const n of client.countdown({ from: 1_000_000_000 })) if (n < 999_999_995) break
while (streamsEnded < 2) await new Promise((resolve) => setTimeout(resolve, 1))
console.log('an endless stream was left, and its handler has ended')

// Every error has a stable code, and says whether the handler ran: only after 'no' is repeating a call always safe.
try {
  await client.slow(null, { timeout: 50 })
} catch (error) {
  if (!(error instanceof RpcError)) throw error
  console.log(`no answer within 50 ms: ${error.code}, executed: ${error.executed}`)
}

client.close()
await server.close()
console.log('closed')

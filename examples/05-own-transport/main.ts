// A service in another thread, through a transport of our own. own-transport.ts and port-channel.ts are the lesson.
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { connect } from '@lab/rpc'
import { chooseTransport, transportName } from '../shared/transport.ts'
import { own } from './own-transport.ts'
import { Primes, servePrimes } from './primes.ts'

// The two threads share one line; every channel gets a port of its own over it.
const { port1, port2 } = new MessageChannel()
const transport = chooseTransport({ own: () => own(port1) })
const worker = new Worker(new URL('worker.ts', import.meta.url), {
  argv: process.argv.slice(2),
  workerData: port2,
  transferList: [port2],
})
const [addressInWorker] = (await once(worker, 'message')) as [string]

// The memory network lives in one thread: on it we serve ourselves.
const address = transportName === 'memory' ? (await servePrimes(transport)).address : addressInWorker
const primes = await connect(Primes, address, { transport })
console.log(`connected to ${address}`)

console.log(`8191 is prime: ${String(await primes.isPrime({ n: 8191 }))}`)

const numbers = Array.from({ length: 1000 }, (_, n) => n)
const answers = await Promise.all(numbers.map((n) => primes.isPrime({ n })))
console.log(`${answers.filter(Boolean).length} primes among 1000 calls at once`)

let count = 0
for await (const _prime of primes.upTo({ limit: 10_000 })) count++
console.log(`${count} primes in a stream`)

primes.close()
await worker.terminate()

// The other thread: serves primes on whatever transport the command line names.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { chooseTransport } from '../shared/transport.ts'
import { own } from './own-transport.ts'
import { servePrimes } from './primes.ts'

const transport = chooseTransport({ own: () => own(workerData as MessagePort) })
const server = await servePrimes(transport)
parentPort?.postMessage(server.address)

// A transport of your own is two methods. This one opens channels between two threads: `own://name`.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { parseAddress, RpcError, type Channel, type Transport } from '@lab/rpc'
import { PortChannel } from './port-channel.ts'

/** What a dialling thread tells the other. */
interface Dial {
  readonly to: string
  readonly port: MessagePort
}

/** @param line leads to the other thread, whose `own` has its other end */
export function own(line: MessagePort): Transport {
  const listeners = new Map<string, (channel: Channel) => void>()

  line.on('message', ({ to, port }: Dial) => {
    const accept = listeners.get(to)
    if (accept === undefined) {
      port.close()
      return
    }
    port.postMessage('accepted')
    accept(new PortChannel(port, to))
  })

  return {
    schemes: ['own'],

    async connect(to, signal) {
      check(to)
      const { port1: mine, port2: theirs } = new MessageChannel()
      return new Promise((resolve, reject) => {
        const fail = (): void => {
          mine.close()
          reject(new RpcError('UNREACHABLE', `nobody answers at ${to}`))
        }
        if (signal.aborted) {
          fail()
          return
        }
        signal.addEventListener('abort', fail, { once: true })
        mine.once('close', fail)
        mine.once('message', () => {
          signal.removeEventListener('abort', fail)
          mine.off('close', fail)
          resolve(new PortChannel(mine, to))
        })
        line.postMessage({ to, port: theirs } satisfies Dial, [theirs])
      })
    },

    async listen(at, accept) {
      check(at)
      if (listeners.has(at)) throw new RpcError('ADDRESS_IN_USE', `another listener holds ${at}`)
      listeners.set(at, accept)
      return {
        address: at,
        close: async () => void listeners.delete(at),
      }
    },
  }
}

function check(address: string): void {
  const { scheme, host } = parseAddress(address)
  if (scheme !== 'own' || host === '')
    throw new RpcError('BAD_ADDRESS', `not an address between threads: ${address}, such as own://primes`)
}

// What the worker does for the main thread: the kind of work that one moves to a thread.
import { implement, serve, service, stream, unary, type Server, type Transport } from '@lab/rpc'

export const Primes = service('primes', {
  isPrime: unary<{ n: number }, boolean>(),
  upTo: stream<{ limit: number }, number>(),
})

export function servePrimes(transport: Transport): Promise<Server> {
  return serve({ transport, listen: 'localhost:0' }, [
    implement(Primes, {
      isPrime: ({ n }) => isPrime(n),
      async *upTo({ limit }) {
        for (let n = 2; n <= limit; n++) if (isPrime(n)) yield n
      },
    }),
  ])
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return n >= 2
}

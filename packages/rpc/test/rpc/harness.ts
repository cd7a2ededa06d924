import { afterEach, expect } from 'vitest'
import {
  RpcError,
  connect,
  serve,
  type Client,
  type ConnectOptions,
  type ServeOptions,
  type Server,
  type Transport,
} from '../../src/index.ts'
import { memory } from '../../src/memory/index.ts'
import { tcp } from '../../src/tcp/index.ts'
import { Mixed, Seen, mixed } from './mixed.ts'

/** What the tests of calls, streams and links run on, body by body the same. */
export const transports: Record<string, () => Transport> = { memory: () => memory(), tcp: () => tcp() }

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close()
})

/** Closes it when the test is over. */
export function closing<T extends { close(): unknown }>(one: T): T {
  opened.push(one)
  return one
}

/** Servers of the mixed service and their clients, over one transport. */
export class Harness {
  readonly transport: Transport

  constructor(name: string) {
    const make = transports[name]
    if (make === undefined) throw new Error(`no transport ${name}`)
    this.transport = make()
  }

  async start(options: Partial<ServeOptions> = {}): Promise<{ server: Server; seen: Seen }> {
    const seen = new Seen()
    const { transport } = this
    const server = await serve({ transport, listen: 'localhost:0', ...options }, [mixed(seen)])
    closing({ close: () => server.close({ drainMs: 50 }) })
    return { server, seen }
  }

  async client(server: Server, options: Partial<ConnectOptions> = {}): Promise<Client<typeof Mixed.methods>> {
    return closing(await connect(Mixed, server.address, { transport: this.transport, ...options }))
  }

  async started() {
    const { server, seen } = await this.start()
    return { server, seen, client: await this.client(server) }
  }
}

/** What a promise that must fail fails with. */
export async function failure(promise: Promise<unknown>): Promise<RpcError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(RpcError)
  return error as RpcError
}

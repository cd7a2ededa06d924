import { clientOf, type Client } from './client.ts'
import { openLink, type LinkOptions } from './link.ts'
import type { Methods, Service } from './service.ts'
import type { Address } from './transport.ts'

export interface ConnectOptions extends LinkOptions {
  /** How long to wait for the first connection, in milliseconds. Default 5 000. */
  readonly timeout?: number
  /** Gives up waiting for the first connection. */
  readonly signal?: AbortSignal
}

/**
 * Connects to a server and gives the calls of one service. Comes back by itself when the connection breaks; `close()` ends it.
 *
 * @throws {RpcError} `UNREACHABLE` when no server answers in time, `UNAUTHORISED` or `REFUSED` when it does not want us
 * @example
 * const greeter = await connect(Greeter, 'localhost:7001', { transport: tcp() })
 * await greeter.hello({ name: 'Ada' }, { timeout: 500 })
 */
export async function connect<M extends Methods>(
  service: Service<M>,
  addresses: Address | readonly Address[],
  options: ConnectOptions,
): Promise<Client<M>> {
  const link = openLink(addresses, options)
  try {
    await link.ready({
      timeout: options.timeout ?? 5_000,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
  } catch (error) {
    link.close()
    throw error
  }
  return clientOf(service, link, () => {
    link.close()
  })
}

import { connect, createServer, type Socket } from 'node:net'
import { formatAddress, parseAddress, type ParsedAddress } from '../address.ts'
import { RpcError } from '../errors.ts'
import type { Address, Channel, Listener, Transport } from '../transport.ts'
import { TcpChannel, type TcpChannelOptions } from './channel.ts'
import { ChunkPool } from '../outbox.ts'

export interface TcpOptions {
  /** Longest message that a channel takes before it is told otherwise, in bytes. Default 64 MiB. */
  readonly messageBytesMax?: number
  /** A peer that began a message must send some 4 KiB of it in each such period. Default 10 000. */
  readonly frameProgressMs?: number
}

/**
 * TCP: `tcp://host:port`, IPv6 hosts in brackets. Not encrypted.
 *
 * @example
 * const server = await serve({ transport: tcp(), listen: 'localhost:0' }, [implement(Greeter, handlers)])
 */
export function tcp(options: TcpOptions = {}): Transport {
  const channelOptions: TcpChannelOptions = {
    pool: new ChunkPool(),
    messageBytesMax: options.messageBytesMax ?? 64 * 1024 * 1024,
    frameProgressMs: options.frameProgressMs ?? 10_000,
  }
  return {
    schemes: ['tcp'],
    connect: (to, signal) => dial(to, signal, channelOptions),
    listen: (at, accept) => listen(at, accept, channelOptions),
  }
}

function parse(address: Address): ParsedAddress & { readonly port: number } {
  const parsed = parseAddress(address)
  const { scheme, port, path } = parsed
  if (scheme !== 'tcp' || port === undefined || path !== '')
    throw new RpcError('BAD_ADDRESS', `not a TCP address: ${address}, such as tcp://localhost:7001`)
  return { ...parsed, port }
}

async function dial(to: Address, signal: AbortSignal, options: TcpChannelOptions): Promise<Channel> {
  const { host, port } = parse(to)
  const fail = (why: string, cause?: unknown): RpcError =>
    new RpcError('UNREACHABLE', `nobody answers at ${to}: ${why}`, { cause })
  if (host === '' || port === 0)
    throw new RpcError('BAD_ADDRESS', `${to} names no host and port to connect to`)
  if (signal.aborted) throw fail('given up before trying', signal.reason)
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true })
    const onAbort = (): void => {
      socket.destroy()
      reject(fail('no answer in time', signal.reason))
    }
    const onError = (error: Error): void => {
      signal.removeEventListener('abort', onAbort)
      reject(fail(reasonOf(error), error))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      resolve(new TcpChannel(socket, to, options))
    })
  })
}

/** Node gives one error per address tried, without a message of its own. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message === '' ? (error.code ?? error.name) : error.message
}

async function listen(
  at: Address,
  accept: (channel: Channel) => void,
  options: TcpChannelOptions,
): Promise<Listener> {
  const parsed = parse(at)
  const server = createServer({ noDelay: true }, (socket) => {
    accept(new TcpChannel(socket, remoteAddressOf(socket), options))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenError(at, error))
    })
    server.listen({ port: parsed.port, ...(parsed.host === '' ? {} : { host: parsed.host }) }, resolve)
  })
  server.removeAllListeners('error')
  // What can still fail is one accept, for want of file descriptors: the listener lives on.
  server.on('error', () => undefined)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : parsed.port
  return {
    address: formatAddress({ ...parsed, host: parsed.host === '' ? 'localhost' : parsed.host, port }),
    close() {
      server.close()
      return Promise.resolve()
    },
  }
}

function listenError(at: Address, error: NodeJS.ErrnoException): RpcError {
  if (error.code === 'EADDRINUSE')
    return new RpcError('ADDRESS_IN_USE', `another listener holds ${at}`, { cause: error })
  return new RpcError('BAD_ADDRESS', `cannot listen at ${at}: ${error.message}`, { cause: error })
}

function remoteAddressOf(socket: Socket): Address {
  const { remoteAddress: host = 'unknown', remotePort: port = 0 } = socket
  return formatAddress({ scheme: 'tcp', host, port, path: '' })
}

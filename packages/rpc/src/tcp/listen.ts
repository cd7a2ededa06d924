import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { formatAddress } from '../address.ts'
import { RpcError } from '../errors.ts'
import { certificateOf } from '../tls/certificate.ts'
import { serverOptions } from '../tls/server-options.ts'
import type { Address, Channel, Listener } from '../transport.ts'
import { parsePlace, type Place } from './address.ts'
import { TcpChannel } from './channel.ts'
import type { TcpSettings } from './settings.ts'

type Accept = (channel: Channel) => void

export async function listen(at: Address, accept: Accept, settings: TcpSettings): Promise<Listener> {
  const place = parsePlace(at)
  const { server, close } = place.encrypted
    ? encryptedServer(at, accept, settings)
    : plainServer(accept, settings)
  await start(server, place, at)
  const bound = server.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : place.port
  return {
    address: formatAddress({ ...place, host: place.host === '' ? 'localhost' : place.host, port }),
    close() {
      close()
      return Promise.resolve()
    },
  }
}

interface Listening {
  readonly server: Server
  readonly close: () => void
}

function plainServer(accept: Accept, settings: TcpSettings): Listening {
  const server = createServer({ noDelay: true }, (socket) => {
    accept(new TcpChannel(socket, { remoteAddress: addressOf(socket, 'tcp') }, settings))
  })
  return { server, close: () => server.close() }
}

function encryptedServer(at: Address, accept: Accept, settings: TcpSettings): Listening {
  const { tls, handshakeMs } = settings
  const options = serverOptions(tls, at)
  const server = createTlsServer({ ...options, handshakeTimeout: handshakeMs, noDelay: true }, (socket) => {
    const certificate = certificateOf(socket, tls.clientCertificates)
    accept(new TcpChannel(socket, { remoteAddress: addressOf(socket, 'tls'), certificate }, settings))
  })
  const stopFollowing = tls.onChange(() => {
    server.setSecureContext(tls.context)
  })
  const close = (): void => {
    stopFollowing()
    server.close()
  }
  return { server, close }
}

async function start(server: Server, { host, port }: Place, at: Address): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenError(at, error))
    })
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
  })
  server.removeAllListeners('error')
  // What can still fail is one accept, for want of file descriptors: the listener lives on.
  server.on('error', () => undefined)
}

function listenError(at: Address, error: NodeJS.ErrnoException): RpcError {
  if (error.code === 'EADDRINUSE')
    return new RpcError('ADDRESS_IN_USE', `another listener holds ${at}`, { cause: error })
  return new RpcError('BAD_ADDRESS', `cannot listen at ${at}: ${error.message}`, { cause: error })
}

function addressOf(socket: Socket, scheme: string): Address {
  const { remoteAddress: host = 'unknown', remotePort: port = 0 } = socket
  return formatAddress({ scheme, host, port, path: '' })
}

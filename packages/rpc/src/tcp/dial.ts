import { connect, isIP, type Socket } from 'node:net'
import { TLSSocket, connect as connectTls } from 'node:tls'
import { RpcError } from '../errors.ts'
import { certificateError, certificateOf } from '../tls/certificate.ts'
import type { Address, Channel } from '../transport.ts'
import { parsePlace, type Place } from './address.ts'
import { TcpChannel } from './channel.ts'
import type { TcpSettings } from './settings.ts'

export async function dial(to: Address, signal: AbortSignal, settings: TcpSettings): Promise<Channel> {
  const place = parsePlace(to)
  const fail = (why: string, cause?: unknown): RpcError =>
    new RpcError('UNREACHABLE', `nobody answers at ${to}: ${why}`, { cause })
  if (place.host === '' || place.port === 0)
    throw new RpcError('BAD_ADDRESS', `${to} names no host and port to connect to`)
  if (signal.aborted) throw fail('given up before trying', signal.reason)
  return new Promise((resolve, reject) => {
    const socket = open(place, settings)
    const onAbort = (): void => {
      socket.destroy()
      reject(fail('no answer in time', signal.reason))
    }
    const onError = (error: Error): void => {
      signal.removeEventListener('abort', onAbort)
      reject(certificateError(error, to) ?? fail(reasonOf(error), error))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once(place.encrypted ? 'secureConnect' : 'connect', () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      // A server whose certificate is not trusted never gets here.
      const certificate = socket instanceof TLSSocket ? certificateOf(socket, 'all') : undefined
      resolve(new TcpChannel(socket, { remoteAddress: to, certificate }, settings))
    })
  })
}

function open({ host, port, encrypted }: Place, { tls }: TcpSettings): Socket {
  if (!encrypted) return connect({ host, port, noDelay: true })
  const { context, serverName = isIP(host) === 0 ? host : undefined } = tls
  const socket = connectTls({
    ...{ ...context, host, port },
    ...(serverName === undefined ? {} : { servername: serverName }),
  })
  return socket.setNoDelay(true)
}

/** Node gives one error per address tried, without a message of its own. */
function reasonOf(error: Error & { code?: string }): string {
  return error.message === '' ? (error.code ?? error.name) : error.message
}

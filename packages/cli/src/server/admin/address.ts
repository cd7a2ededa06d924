import { isLoopback, parseAddress, toError } from '@lab/rpc'
import { usage } from '../../parse.ts'

export interface AdminAddress {
  readonly host: string
  readonly port: number
  /** Only this machine can reach it. */
  readonly local: boolean
}

const LOOPBACK = '127.0.0.1'

/** `9090` and `:9090` mean this machine only; `0.0.0.0:9090` all of its interfaces. @throws {CliError} `USAGE` */
export function parseAdminAddress(given: string): AdminAddress {
  const text = /^\d+$/.test(given) ? `:${given}` : given
  const { host, port } = parse(text, given)
  if (port === undefined) throw refused(given)
  const at = host === '' ? LOOPBACK : host
  return { host: at, port, local: isLoopback(at) }
}

function parse(text: string, given: string): { readonly host: string; readonly port: number | undefined } {
  try {
    const { host, port, path } = parseAddress(`http://${text.replace(/^https?:\/\//, '')}`)
    if (path === '') return { host, port }
  } catch (thrown) {
    throw refused(given, toError(thrown))
  }
  throw refused(given)
}

function refused(given: string, cause?: Error): Error {
  return usage(`--admin takes a port, or HOST:PORT, not "${given}"`, { cause })
}

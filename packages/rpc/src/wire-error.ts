/** Errors as they cross the wire, and back. */
import { RpcError, toError, type Executed, type RpcErrorCode } from './errors.ts'
import type { WireError } from './messages.ts'

const MESSAGE_LENGTH_MAX = 1_000
const CODE_LENGTH_MAX = 100
const DETAILS_LENGTH_MAX = 4_000

/** What a peer is told when something here refuses or fails. */
export function wireError(
  code: RpcErrorCode,
  message: string,
  executed: Executed = 'no',
  remoteCode = '',
): WireError {
  return {
    code,
    executed,
    message: cut(message, MESSAGE_LENGTH_MAX),
    remoteCode: cut(remoteCode, CODE_LENGTH_MAX),
    details: '',
  }
}

/** What the caller is told when its handler threw: the message, the error's own stable code and its JSON details. */
export function handlerError(thrown: unknown): WireError {
  const error = toError(thrown)
  const { code, details } = error as { code?: unknown; details?: unknown }
  return {
    ...wireError('HANDLER_FAILED', error.message, 'yes', typeof code === 'string' ? code : ''),
    details: detailsText(details),
  }
}

/** The error of a caller whose peer sent `error`. `what` it was about comes first in the message. */
export function fromWire(error: WireError, what: string): RpcError {
  return new RpcError(error.code, `${what}: ${error.message}`, {
    executed: error.executed,
    remoteCode: error.remoteCode === '' ? undefined : error.remoteCode,
    details: parseDetails(error.details),
  })
}

function detailsText(details: unknown): string {
  if (details === undefined) return ''
  try {
    const text = JSON.stringify(details) as string | undefined
    return text === undefined || text.length > DETAILS_LENGTH_MAX ? '' : text
  } catch {
    return ''
  }
}

function parseDetails(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}

/**
 * What travels in a channel, whatever the transport: one message, one kind byte, then fields. All numbers are varints
 * unless said otherwise; the body of a request, reply, item or notification is the rest.
 *
 *     client                               server
 *       hello ────────────────────────────▶            (again while unanswered: the memory network may lose it)
 *       ◀──────────────── welcome | refuse
 *       request(id) ──────────────────────▶ ◀── part(id) … response(id) | failure(id)       cancel(id), once not interested
 *       open(id, credit) ─────────────────▶ ◀── item(id, 1) item(id, 2) … end(id, count) | failure(id)
 *       credit(id, total), query(id) ─────▶ ◀── status(id, sent)
 *       notify ───────────────────────────▶
 *       ping ◀────────────────────────────▶ pong       goaway, from either: no new calls here
 */
import { ByteReader, type ByteWriter } from './bytes.ts'
import { ProtocolError, type Executed, type RpcErrorCode } from './errors.ts'
import type { Hello, Message, RpcRole, Welcome, WireError } from './messages.ts'

export const PROTOCOL_VERSION = 1
/** First bytes of a hello: 'LRPC'. Whoever speaks another protocol is told apart at once. */
const MAGIC = 0x4350524c

const ROLES: readonly RpcRole[] = ['peer', 'client', 'admin']
const EXECUTED: readonly Executed[] = ['no', 'yes', 'unknown']
/** Numbers of codes on the wire: only ever add at the end. */
const CODES: readonly RpcErrorCode[] = [
  'UNREACHABLE',
  'ADDRESS_IN_USE',
  'BAD_ADDRESS',
  'TIMEOUT',
  'CANCELLED',
  'CLOSED',
  'NO_SUCH_METHOD',
  'HANDLER_FAILED',
  'BUSY',
  'TOO_LARGE',
  'SLOW_PEER',
  'GAP',
  'UNAUTHORISED',
  'REFUSED',
  'PROTOCOL',
  'BAD_REQUEST',
]

const HELLO = 1
const WELCOME = 2
const REFUSE = 3
const REQUEST = 4
const RESPONSE = 5
const FAILURE = 6
const CANCEL = 7
const NOTIFY = 8
const OPEN = 9
const ITEM = 10
const END = 11
const CREDIT = 12
const QUERY = 13
const STATUS = 14
const PING = 15
const PONG = 16
const GOAWAY = 17
const PART = 18

/** What an item takes from the credit: empty ones are not free. */
export function itemCost(body: Uint8Array): number {
  return body.length + 16
}

export function writeHello(to: ByteWriter, hello: Hello): void {
  to.u8(HELLO).u32(MAGIC).varint(hello.version).u8(ROLES.indexOf(hello.role))
  to.text(hello.clusterId).text(hello.nodeId).text(hello.incarnation).text(hello.token)
  to.varint(hello.messageBytesMax)
}

export function writeWelcome(to: ByteWriter, welcome: Welcome): void {
  to.u8(WELCOME).varint(welcome.version).u8(ROLES.indexOf(welcome.role))
  to.text(welcome.clusterId).text(welcome.nodeId).text(welcome.incarnation).text(welcome.connectionId)
  to.varint(welcome.messageBytesMax)
}

export function writeRefuse(to: ByteWriter, error: WireError): void {
  writeError(to.u8(REFUSE), error)
}

export function writeRequest(
  to: ByteWriter,
  id: number,
  method: number,
  timeout: number,
  body: Uint8Array,
): void {
  to.u8(REQUEST).varint(id).u32(method).varint(timeout).raw(body)
}

export function writeResponse(to: ByteWriter, id: number, body: Uint8Array): void {
  to.u8(RESPONSE).varint(id).raw(body)
}

export function writePart(to: ByteWriter, id: number, body: Uint8Array): void {
  to.u8(PART).varint(id).raw(body)
}

export function writeFailure(to: ByteWriter, id: number, error: WireError): void {
  writeError(to.u8(FAILURE).varint(id), error)
}

export function writeCancel(to: ByteWriter, id: number): void {
  to.u8(CANCEL).varint(id)
}

export function writeNotify(to: ByteWriter, method: number, body: Uint8Array): void {
  to.u8(NOTIFY).u32(method).raw(body)
}

export function writeOpen(
  to: ByteWriter,
  id: number,
  method: number,
  credit: number,
  body: Uint8Array,
): void {
  to.u8(OPEN).varint(id).u32(method).varint(credit).raw(body)
}

export function writeItem(to: ByteWriter, id: number, sequence: number, body: Uint8Array): void {
  to.u8(ITEM).varint(id).varint(sequence).raw(body)
}

export function writeEnd(to: ByteWriter, id: number, count: number): void {
  to.u8(END).varint(id).varint(count)
}

export function writeCredit(to: ByteWriter, id: number, total: number): void {
  to.u8(CREDIT).varint(id).varint(total)
}

export function writeQuery(to: ByteWriter, id: number, total: number): void {
  to.u8(QUERY).varint(id).varint(total)
}

export function writeStatus(to: ByteWriter, id: number, sent: number): void {
  to.u8(STATUS).varint(id).varint(sent)
}

export function writePing(to: ByteWriter): void {
  to.u8(PING)
}

export function writePong(to: ByteWriter): void {
  to.u8(PONG)
}

export function writeGoaway(to: ByteWriter, error: WireError): void {
  writeError(to.u8(GOAWAY), error)
}

/** @throws {ProtocolError} on anything that the functions above do not write */
export function decodeMessage(bytes: Uint8Array): Message {
  const from = new ByteReader(bytes)
  const kind = from.u8()
  // The two that make the traffic come first and take the rest as it is.
  if (kind === REQUEST)
    return {
      kind: 'request',
      id: from.varint(),
      method: from.u32(),
      timeout: from.varint(),
      body: from.rest(),
    }
  if (kind === RESPONSE) return { kind: 'response', id: from.varint(), body: from.rest() }
  const message = decodeOther(kind, from)
  from.end()
  return message
}

function decodeOther(kind: number, from: ByteReader): Message {
  switch (kind) {
    case HELLO:
      return { kind: 'hello', hello: readHello(from) }
    case WELCOME:
      return { kind: 'welcome', welcome: readWelcome(from) }
    case REFUSE:
      return { kind: 'refuse', error: readError(from) }
    case FAILURE:
      return { kind: 'failure', id: from.varint(), error: readError(from) }
    case CANCEL:
      return { kind: 'cancel', id: from.varint() }
    case NOTIFY:
      return { kind: 'notify', method: from.u32(), body: from.rest() }
    case OPEN:
      return {
        kind: 'open',
        id: from.varint(),
        method: from.u32(),
        credit: from.varint(),
        body: from.rest(),
      }
    case ITEM:
      return { kind: 'item', id: from.varint(), sequence: from.varint(), body: from.rest() }
    case END:
      return { kind: 'end', id: from.varint(), count: from.varint() }
    case CREDIT:
      return { kind: 'credit', id: from.varint(), total: from.varint() }
    case QUERY:
      return { kind: 'query', id: from.varint(), total: from.varint() }
    case STATUS:
      return { kind: 'status', id: from.varint(), sent: from.varint() }
    case PING:
      return { kind: 'ping' }
    case PONG:
      return { kind: 'pong' }
    case PART:
      return { kind: 'part', id: from.varint(), body: from.rest() }
    case GOAWAY:
      return { kind: 'goaway', error: readError(from) }
    default:
      throw new ProtocolError(`a message of unknown kind ${String(kind)}`)
  }
}

function readHello(from: ByteReader): Hello {
  if (from.u32() !== MAGIC) throw new ProtocolError('no handshake of this protocol')
  const version = from.varint()
  // Of another version only this much is known: enough to say which ones do not match.
  if (version !== PROTOCOL_VERSION) {
    from.rest()
    return {
      version,
      role: 'client',
      clusterId: '',
      nodeId: '',
      incarnation: '',
      token: '',
      messageBytesMax: 0,
    }
  }
  return {
    version,
    role: oneOf(ROLES, from.u8(), 'role'),
    clusterId: from.text(),
    nodeId: from.text(),
    incarnation: from.text(),
    token: from.text(),
    messageBytesMax: from.varint(),
  }
}

function readWelcome(from: ByteReader): Welcome {
  return {
    version: from.varint(),
    role: oneOf(ROLES, from.u8(), 'role'),
    clusterId: from.text(),
    nodeId: from.text(),
    incarnation: from.text(),
    connectionId: from.text(),
    messageBytesMax: from.varint(),
  }
}

function writeError(to: ByteWriter, error: WireError): void {
  to.u8(CODES.indexOf(error.code)).u8(EXECUTED.indexOf(error.executed))
  to.text(error.message).text(error.remoteCode).text(error.details)
}

function readError(from: ByteReader): WireError {
  return {
    code: oneOf(CODES, from.u8(), 'error code'),
    executed: oneOf(EXECUTED, from.u8(), 'state of execution'),
    message: from.text(),
    remoteCode: from.text(),
    details: from.text(),
  }
}

function oneOf<T>(values: readonly T[], number: number, what: string): T {
  const value = values[number]
  if (value === undefined) throw new ProtocolError(`an unknown ${what} ${String(number)}`)
  return value
}

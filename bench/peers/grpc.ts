/**
 * One HTTP/2 connection that makes unary gRPC calls and can do nothing else, so that it costs a fraction of `node:http2`: a client
 * that is slower than the server would flatter whatever is measured beside it. Headers that are sent are the same bytes every time;
 * headers that come are not looked at, since an answer with a message is a success and one without is none.
 */
import { corkTurn } from './cork-turn.ts'
import { connect, type Socket } from 'node:net'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const FRAME_BYTES = 9
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const END_STREAM = 1
const ACK = 1
const END_HEADERS = 4
/** What a peer may send us unasked: on a stream, and on all together. */
const WINDOW_BYTES = 2 ** 30
/** What we may send before the peer says more: the protocol's default. */
const FIRST_WINDOW_BYTES = 65_535

/** The headers of a method: HPACK literals that nobody remembers. */
export class GrpcMethod {
  readonly headers: Buffer

  /** @param path `/package.Service/Method` */
  constructor(path: string) {
    this.headers = Buffer.concat([
      Buffer.of(0x83, 0x86),
      Buffer.concat([Buffer.of(0x04), text(path)]),
      Buffer.concat([Buffer.of(0x01), text('127.0.0.1')]),
      Buffer.concat([Buffer.of(0x0f, 0x10), text('application/grpc')]),
      Buffer.concat([Buffer.of(0x00), text('te'), text('trailers')]),
    ])
  }
}

interface Call {
  readonly resolve: (message: Buffer) => void
  readonly reject: (error: Error) => void
  readonly parts: Buffer[]
}

export class GrpcConnection {
  readonly #socket: Socket
  readonly #calls = new Map<number, Call>()
  #nextStream = 1
  #rest: Buffer = Buffer.alloc(0)
  #sendWindow = FIRST_WINDOW_BYTES
  #received = 0

  static connect(port: number): Promise<GrpcConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => {
        resolve(new GrpcConnection(socket))
      })
      socket.once('error', reject)
    })
  }

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    const settings = Buffer.alloc(6)
    settings.writeUInt16BE(4)
    settings.writeUInt32BE(WINDOW_BYTES, 2)
    socket.write(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0, settings), this.#moreWindow()]))
    socket.on('data', (bytes) => {
      this.#receive(bytes)
    })
    socket.on('close', () => {
      this.#fail(new Error('the connection was closed'))
    })
    socket.on('error', (error) => {
      this.#fail(error)
    })
  }

  /** @returns the message of the answer, as protobuf */
  call(method: GrpcMethod, message: Uint8Array): Promise<Buffer> {
    const size = 5 + message.length
    this.#sendWindow -= size
    if (this.#sendWindow < 0) throw new Error('more in flight than this simple client may send')
    const stream = this.#nextStream
    this.#nextStream += 2
    const { headers } = method
    const bytes = Buffer.allocUnsafe(2 * FRAME_BYTES + headers.length + size)
    let at = writeHead(bytes, 0, { size: headers.length, type: HEADERS, flags: END_HEADERS, stream })
    at += headers.copy(bytes, at)
    at = writeHead(bytes, at, { size, type: DATA, flags: END_STREAM, stream })
    bytes[at] = 0
    bytes.writeUInt32BE(message.length, at + 1)
    bytes.set(message, at + 5)
    this.#send(bytes)
    return new Promise((resolve, reject) => {
      this.#calls.set(stream, { resolve, reject, parts: [] })
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  /** What is sent in one turn leaves together. */
  #send(bytes: Buffer): void {
    corkTurn(this.#socket)
    this.#socket.write(bytes)
  }

  #receive(bytes: Buffer): void {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    while (all.length - at >= FRAME_BYTES) {
      const size = all.readUIntBE(at, 3)
      const end = at + FRAME_BYTES + size
      if (end > all.length) break
      const stream = all.readUInt32BE(at + 5) & 0x7fff_ffff
      this.#take(all[at + 3] ?? 0, all[at + 4] ?? 0, stream, all.subarray(at + FRAME_BYTES, end))
      at = end
    }
    this.#rest = all.subarray(at)
  }

  #take(type: number, flags: number, stream: number, body: Buffer): void {
    if (type === DATA) {
      this.#calls.get(stream)?.parts.push(body)
      this.#received += body.length
      if (this.#received > WINDOW_BYTES / 2) this.#send(this.#moreWindow())
    }
    if ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0) this.#answer(stream)
    if (type === RST_STREAM) this.#answer(stream)
    if (type === SETTINGS && flags !== ACK) this.#send(frame(SETTINGS, ACK, 0, Buffer.alloc(0)))
    if (type === PING && flags !== ACK) this.#send(frame(PING, ACK, 0, body))
    if (type === WINDOW_UPDATE && stream === 0) this.#sendWindow += body.readUInt32BE()
    if (type === GOAWAY) this.#fail(new Error('the server ends the connection'))
  }

  #answer(stream: number): void {
    const call = this.#calls.get(stream)
    if (call === undefined) return
    this.#calls.delete(stream)
    const [first, ...more] = call.parts
    if (first === undefined) call.reject(new Error('the call failed'))
    else call.resolve((more.length === 0 ? first : Buffer.concat(call.parts)).subarray(5))
  }

  #moreWindow(): Buffer {
    const increment = Buffer.alloc(4)
    increment.writeUInt32BE(this.#received === 0 ? WINDOW_BYTES : this.#received)
    this.#received = 0
    return frame(WINDOW_UPDATE, 0, 0, increment)
  }

  #fail(error: Error): void {
    for (const { reject } of this.#calls.values()) reject(error)
    this.#calls.clear()
  }
}

interface Head {
  readonly size: number
  readonly type: number
  readonly flags: number
  readonly stream: number
}

/** @returns where the body begins */
function writeHead(bytes: Buffer, at: number, { size, type, flags, stream }: Head): number {
  bytes.writeUIntBE(size, at, 3)
  bytes[at + 3] = type
  bytes[at + 4] = flags
  bytes.writeUInt32BE(stream, at + 5)
  return at + FRAME_BYTES
}

function frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(FRAME_BYTES + body.length)
  body.copy(bytes, writeHead(bytes, 0, { size: body.length, type, flags, stream }))
  return bytes
}

/** Length and characters, shorter than 127. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)])
}

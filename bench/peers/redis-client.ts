/** Redis' protocol, as far as it is measured: commands of bytes, whose answers come in their order. */
import { corkTurn } from './cork-turn.ts'
import { connect, type Socket } from 'node:net'

const CRLF = Buffer.from('\r\n')
const [DOLLAR, MINUS] = [0x24, 0x2d]

interface Call {
  readonly resolve: (answer: Buffer | null) => void
  readonly reject: (error: Error) => void
}

class Connection {
  readonly #socket: Socket
  /** In the order of their answers; those before `#first` have theirs. */
  #calls: Call[] = []
  #first = 0
  #rest: Buffer = Buffer.alloc(0)

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      this.#receive(bytes)
    })
    socket.on('error', () => undefined)
  }

  call(parts: readonly Uint8Array[]): Promise<Buffer | null> {
    corkTurn(this.#socket)
    this.#socket.write(
      Buffer.concat([
        Buffer.from(`*${String(parts.length)}\r\n`),
        ...parts.flatMap((part) => [Buffer.from(`$${String(part.length)}\r\n`), part, CRLF]),
      ]),
    )
    return new Promise((resolve, reject) => this.#calls.push({ resolve, reject }))
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let at = 0
    for (;;) {
      const end = this.#rest.indexOf(CRLF, at)
      if (end < 0) break
      const kind = this.#rest[at]
      const line = this.#rest.toString('latin1', at + 1, end)
      const size = kind === DOLLAR ? Number(line) : -1
      const after = end + 2 + (size < 0 ? 0 : size + 2)
      if (after > this.#rest.length) break
      const call = this.#calls[this.#first++]
      if (kind === MINUS) call?.reject(new Error(`Redis: ${line}`))
      else if (kind === DOLLAR) call?.resolve(size < 0 ? null : this.#rest.subarray(end + 2, end + 2 + size))
      else call?.resolve(Buffer.from(line))
      at = after
    }
    this.#rest = this.#rest.subarray(at)
    // What was answered is let go now and then.
    if (this.#first < 1024 && this.#first < this.#calls.length) return
    this.#calls = this.#calls.slice(this.#first)
    this.#first = 0
  }
}

export class RedisClient {
  readonly #connections: readonly Connection[]
  #next = 0

  static async connect(port: number, connections: number): Promise<RedisClient> {
    const open = (): Promise<Connection> =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => {
          resolve(new Connection(socket))
        })
        socket.once('error', reject)
      })
    return new RedisClient(await Promise.all(Array.from({ length: connections }, open)))
  }

  private constructor(connections: readonly Connection[]) {
    this.#connections = connections
  }

  /** @returns null for nothing there; statuses and numbers as text @throws {Error} what Redis says */
  command(...parts: readonly (string | Uint8Array)[]): Promise<Buffer | null> {
    const connection = this.#connections[this.#next++ % this.#connections.length]
    if (connection === undefined) throw new Error('a client has a connection at least')
    return connection.call(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }
}

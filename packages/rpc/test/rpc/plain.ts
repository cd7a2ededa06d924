/** A bytes service over TCP, and bare sockets at its port. */
import { createConnection, type Socket } from 'node:net'
import { once } from 'node:events'
import {
  ByteWriter,
  bytesCodec,
  connect,
  implement,
  parseAddress,
  serve,
  service,
  stream,
  unary,
  writeFrame,
  type ConnectOptions,
  type ServeOptions,
  type Server,
} from '../../src/index.ts'
import { PROTOCOL_VERSION, writeHello } from '../../src/protocol.ts'
import { tcp } from '../../src/tcp/index.ts'
import { closing } from './harness.ts'

export const Plain = service('plain', {
  echo: unary<Uint8Array, Uint8Array>({ request: bytesCodec, response: bytesCodec }),
  big: unary<number, Uint8Array>({ response: bytesCodec }),
  hang: unary(),
  flood: stream<undefined, Uint8Array>({ item: bytesCodec }),
})

export async function start(options: Partial<ServeOptions> = {}): Promise<Server> {
  const server = await serve({ transport: tcp(), listen: 'localhost:0', ...options }, [
    implement(Plain, {
      echo: (bytes) => bytes,
      big: (size) => new Uint8Array(size),
      hang: () => new Promise(() => undefined),
      *flood() {
        for (;;) yield new Uint8Array(10_000)
      },
    }),
  ])
  closing({ close: () => server.close({ drainMs: 20 }) })
  return server
}

export async function client(server: Server, options: Partial<ConnectOptions> = {}) {
  const made = await connect(Plain, server.address, { transport: tcp(), ...options })
  closing(made)
  return made
}

/** A bare socket at the server's port. */
export async function bare(server: Server): Promise<Socket> {
  const { port = 0 } = parseAddress(server.address)
  const socket = createConnection({ port, host: 'localhost' })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  closing({ close: () => socket.destroy() })
  return socket
}

export function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + message.length)
  writeFrame(frame, 0, message)
  return frame
}

export function hello(): Uint8Array {
  const writer = new ByteWriter()
  writeHello(writer, {
    version: PROTOCOL_VERSION,
    role: 'client',
    clusterId: '',
    nodeId: '',
    incarnation: '',
    token: '',
    messageBytesMax: 1 << 20,
  })
  return framed(writer.finish())
}

/** Everything that comes until the end, as text; fails when the end does not come. */
export async function untilClosed(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  if (!socket.destroyed) await new Promise((resolve) => socket.on('close', resolve))
  return Buffer.concat(chunks).toString('latin1')
}

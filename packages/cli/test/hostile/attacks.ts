/** Bytes that make no sense, in several ways of making none. All of it by a seed. */
import { createConnection, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import {
  bytesCodec,
  notification,
  openLink,
  service,
  unary,
  type Channel,
  type Random,
  type RpcRole,
  type Transport,
} from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'
import type { Target } from './target.ts'

const GREETINGS = [
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  'GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n',
  'GET /../../etc/passwd?%00=%ff HTTP/1.1\r\n\r\n',
  'GET // HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003',
  '',
]

/** What may be attacked. */
export type Aim = Pick<Target, 'ports' | 'ca'>

/** Rubbish at a bare port, behind something that looks like a protocol, in pieces; then it goes, or just stays for a while. */
export async function rubbish(target: Aim, scheme: string, random: Random): Promise<void> {
  const socket = await open(target, scheme, random)
  socket.on('error', () => undefined)
  socket.resume()
  socket.write(Buffer.from(GREETINGS[random.integer(0, GREETINGS.length)] ?? '', 'latin1'))
  for (let pieces = random.integer(0, 4); pieces > 0; pieces--) {
    socket.write(Buffer.from(random.bytes(random.integer(1, 2000))))
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (random.integer(0, 2) === 0) socket.end()
  else socket.destroy()
}

async function open({ ports, ca }: Aim, scheme: string, random: Random): Promise<Socket> {
  const at = { port: ports[scheme] ?? 0, host: '127.0.0.1' }
  // Half of what comes at an encrypted port is encrypted, so that what lies behind gets its share.
  const encrypted = (scheme === 'tls' || scheme === 'wss') && random.integer(0, 2) === 0
  const socket = encrypted ? connectTls({ ...at, ca }) : createConnection(at)
  await new Promise<void>((resolve) => {
    socket.once(encrypted ? 'secureConnect' : 'connect', () => {
      resolve()
    })
    socket.once('error', () => {
      resolve()
    })
  })
  return socket
}

/** A transport on which some of what is sent is bent: bits flipped, cut off, doubled, drawn out. */
export function bent(transport: Transport, random: Random, percent: number): Transport {
  return {
    schemes: transport.schemes,
    listen: (at, accept) => transport.listen(at, accept),
    async connect(to, signal) {
      const channel = await transport.connect(to, signal)
      const send = channel.send.bind(channel)
      const sent: Channel['send'] = (message) => {
        const isBent = random.integer(0, 100) < percent
        send(isBent ? bend(message, random) : message)
        if (isBent && random.integer(0, 4) === 0) send(message)
      }
      return Object.defineProperty(channel, 'send', { value: sent })
    },
  }
}

function bend(message: Uint8Array, random: Random): Uint8Array {
  const bytes = message.slice()
  for (let flips = random.integer(1, 4); flips > 0 && bytes.length > 0; flips--) {
    const at = random.integer(0, bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.integer(0, 8))
  }
  const cut = random.integer(0, bytes.length + 1)
  switch (random.integer(0, 3)) {
    case 0:
      return bytes.subarray(0, cut)
    case 1:
      return Buffer.concat([bytes.subarray(0, cut), random.bytes(random.integer(0, 64)), bytes.subarray(cut)])
    default:
      return bytes
  }
}

const bytes = { request: bytesCodec, response: bytesCodec }
const message = { message: bytesCodec }
const unaries = <Name extends string>(...names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, unary<Uint8Array, Uint8Array>(bytes)]))

/** What a server answers, by the names that it has for it, taking any bytes. */
const SERVICES = [
  service('raft.client', unaries('propose', 'open', 'read', 'membership', 'status', 'backup')),
  service('raft.admin', unaries('change', 'transfer', 'stepDown')),
  service('raft.peer', unaries('readIndex', 'hello')),
  service('kv', unaries('watch')),
]
const PeerNotes = service('raft.peer', {
  message: notification<Uint8Array>(message),
  beat: notification<Uint8Array>(message),
})

/** Shakes hands well, then calls every method of every service with bytes that it did not expect, over a wire that bends some. */
export async function badCaller(
  target: Target,
  scheme: 'tcp' | 'ws',
  role: RpcRole,
  random: Random,
): Promise<number> {
  const transport = bent(scheme === 'tcp' ? tcp() : webSocket(), random, 5)
  const identity = { role, nodeId: role === 'peer' ? 'n9' : '', clusterId: 'lab', incarnation: 'x' }
  const link = openLink(`${scheme}://127.0.0.1:${String(target.ports[scheme])}`, {
    ...{ transport, identity, reconnect: { minMs: 1, maxMs: 20 } },
  })
  let answers = 0
  const calls: Promise<unknown>[] = []
  for (let round = 0; round < 12; round++) {
    for (const each of SERVICES) {
      const client = link.client(each)
      for (const name of Object.keys(each.methods)) {
        const body = random.bytes(
          random.integer(0, 3) === 0 ? random.integer(0, 3000) : random.integer(0, 24),
        )
        // Group 0 in front, as most bodies have, so that what comes behind is looked at.
        if (body.length > 0 && random.integer(0, 2) === 0) body[0] = 0
        calls.push(
          (client[name]?.(body, { timeout: 1500 }) ?? Promise.resolve())
            .catch(() => undefined)
            .then(() => answers++),
        )
      }
    }
    try {
      const notes = link.client(PeerNotes)
      notes.message(random.bytes(random.integer(0, 60)))
      notes.beat(random.bytes(random.integer(0, 60)))
    } catch {
      // between two connections there is nobody to tell
    }
    await Promise.race([Promise.all(calls.slice(-17)), new Promise((resolve) => setTimeout(resolve, 200))])
  }
  await Promise.all(calls)
  link.close()
  return answers
}

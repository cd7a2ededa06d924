// One cluster, two networks, and HTTP servers that were there before. The servers talk TCP among themselves; web pages reach
// them by WebSocket, on the port that already serves the pages.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RaftClient, RaftNode, stateMachine } from '@lab/raft'
import { memoryStorage } from '@lab/raft/storage/memory'
import { webSocket } from '@lab/rpc/websocket'
import { freeAddresses } from '../shared/ports.ts'
import { chooseTransport } from '../shared/transport.ts'

interface Vote {
  for: 'coffee' | 'tea'
}

const votes = () =>
  stateMachine({
    initial: { coffee: 0, tea: 0 },
    apply: (counts, vote: Vote) => ++counts[vote.for],
  })
type Node = RaftNode<ReturnType<typeof votes>>

// Your app as it was: an HTTP server per machine, which answers GET with the counts.
const ids = ['n1', 'n2', 'n3']
const nodes = new Map<string, Node>()
async function answer(id: string, response: ServerResponse): Promise<void> {
  try {
    const counts = await nodes.get(id)?.read((machine) => ({ ...machine.state })) // linearizable, on any server
    response.end(JSON.stringify(counts))
  } catch {
    response.writeHead(503).end('no majority, or shutting down')
  }
}
const apps = ids.map((id) =>
  createServer((_request, response) => void answer(id, response)).listen(0, 'localhost'),
)
await Promise.all(apps.map((app) => once(app, 'listening')))
const ports = apps.map((app) => (app.address() as AddressInfo).port)

// Raft moves in: each server has an address for its peers, and one for pages on the app's own server.
const peers = chooseTransport()
const peerAddresses = await freeAddresses(ids)
const pageAddresses = ports.map((port) => `ws://localhost:${port}/raft`)
const hasTwo = !peers.schemes.includes('ws') // else peers come by the pages' door
const members = Object.fromEntries(
  ids.map((id, i) => [id, [...(hasTwo ? [peerAddresses[id] ?? ''] : []), pageAddresses[i] ?? '']]),
)
for (const [i, server] of apps.entries()) {
  const id = ids[i] ?? ''
  const pages = webSocket({ server, path: '/raft' })
  const transports = hasTwo ? [peers, pages] : [pages]
  nodes.set(
    id,
    await RaftNode.start({ id, members, transports, storage: memoryStorage(), stateMachine: votes() }),
  )
}
console.log(`n1 listens at ${nodes.get('n1')?.server.addresses.join(' for peers and at ') ?? ''} for pages`)

// A page knows one server by its WebSocket address; that one names the leader with its WebSocket address, too.
const page = await RaftClient.connect<Vote, number>({
  servers: pageAddresses.slice(0, 1),
  transport: webSocket(),
})
await Promise.all(Array.from({ length: 60 }, (_, i) => page.propose({ for: i % 3 === 0 ? 'tea' : 'coffee' })))
console.log('a page has cast 60 votes over WebSocket')

for (const port of ports) {
  const response = await fetch(`http://localhost:${port}/`)
  console.log(`GET http://localhost:${port}/ says ${await response.text()}`)
}

await page.close()
for (const node of nodes.values()) await node.close()
for (const app of apps) app.close().closeAllConnections()

// Three servers over TCP, each with its own log on disk; one is stopped and started again with what its disk knows.
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { RaftNode, stateMachine } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { RpcError } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'

const members = {}
for (const id of ['n1', 'n2', 'n3']) members[id] = `localhost:${await freePort()}`

let nodes = await Promise.all(Object.keys(members).map(start))
await Promise.all(nodes.map((node) => node.ready()))
for (let n = 1; n <= 10; n++) assert.equal(await nodes[n % 3].propose({ add: 1 }), n)
for (const node of nodes) assert.equal(await node.read((machine) => machine.state.total), 10)
await Promise.all(nodes.map((node) => node.close()))

nodes = await Promise.all(Object.keys(members).map(start))
await nodes[0].ready()
assert.equal(await nodes[0].read((machine) => machine.state.total), 10)
await Promise.all(nodes.map((node) => node.close()))

// Entries of one package share their classes.
const refused = await tcp()
  .connect(`tcp://${members.n1}`, AbortSignal.timeout(2000))
  .catch((error) => error)
assert.ok(refused instanceof RpcError, String(refused))
console.log('ok  ES module: three nodes, 10 commands, everything there after a restart')

function start(id) {
  return RaftNode.start({
    id,
    members,
    transport: tcp(),
    storage: fileStorage(`./data/${id}`),
    stateMachine: stateMachine({
      initial: { total: 0 },
      apply(state, { add }) {
        state.total += add
        return state.total
      },
    }),
  })
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, 'localhost', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

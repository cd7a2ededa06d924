// One server, from CommonJS.
const assert = require('node:assert/strict')
const { RaftNode, stateMachine } = require('@lab/raft')
const { fileStorage } = require('@lab/raft/storage/file')
const { tcp } = require('@lab/rpc/tcp')

async function main() {
  const node = await RaftNode.start({
    id: 'n1',
    members: { n1: 'localhost:0' },
    transport: tcp(),
    storage: fileStorage('./data/single'),
    stateMachine: stateMachine({
      initial: { total: 0 },
      apply(state, { add }) {
        state.total += add
        return state.total
      },
    }),
  })
  await node.ready()
  assert.equal(await node.propose({ add: 2 }), 2)
  assert.equal(await node.read((machine) => machine.state.total), 2)
  await node.close()
  console.log('ok  CommonJS: one node, proposed, read, closed')
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})

// A counter that survives the kill of any one of its three servers. On sockets each of them is a process: this same file
// with --id.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { RaftClient } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { freeAddresses } from '../shared/ports.ts'
import { transportName } from '../shared/transport.ts'
import { startServer, transport, type Add } from './counter.ts'
import { objects, processes } from './fleet.ts'

const { values } = parseArgs({
  options: {
    transport: { type: 'string' },
    id: { type: 'string' },
    members: { type: 'string', default: '{}' },
    folder: { type: 'string', default: '' },
  },
})

if (values.id === undefined) await story()
else {
  const members = JSON.parse(values.members) as Record<string, string>
  await startServer(values.id, members, fileStorage(values.folder))
  process.send?.('up')
  process.on('disconnect', () => process.exit()) // the parent is gone
}

async function story(): Promise<void> {
  const members = await freeAddresses(['n1', 'n2', 'n3'])
  const folder = mkdtempSync(join(tmpdir(), 'embedded-raft-'))
  const fleet = transportName === 'memory' ? objects(members) : processes(members, folder)
  await Promise.all(Object.keys(members).map((id) => fleet.start(id)))
  console.log(`${Object.keys(members).join(', ')} are up`)

  // A client is no member: it finds the leader, and follows it when it changes.
  const client = await RaftClient.connect<Add, number, 'total', number>({
    servers: Object.values(members),
    transport,
  })
  const count = (times: number): Promise<number[]> =>
    Promise.all(Array.from({ length: times }, () => client.propose({ add: 1 })))
  const leader = async (): Promise<string> => {
    for (;;) {
      const reports = await client.status()
      const leading = reports.find(({ status }) => status?.role === 'leader')?.status
      if (leading != null) return leading.id
    }
  }

  console.log(`counted to ${Math.max(...(await count(100)))}: each step is on the disks of a majority`)

  const victim = await leader()
  const counting = count(100)
  await fleet.kill(victim)
  console.log(`${victim}, the leader, was killed in the midst of counting on`)
  const results = await counting
  // Some calls were repeated with the next leader, yet each counted once: client.propose keeps a session.
  console.log(`counted to ${Math.max(...results)}; each of ${new Set(results).size} steps happened once`)

  await fleet.start(victim)
  console.log(`${victim} is back, with what its disk had and what it missed`)
  const others = Object.keys(members).filter((id) => id !== victim)
  await Promise.all(others.map((id) => fleet.kill(id)))
  await Promise.all(others.map((id) => fleet.start(id)))
  console.log(`after a restart of the others, too, the total is ${await client.read('total')}`)

  await client.close()
  await Promise.all(Object.keys(members).map((id) => fleet.kill(id)))
  rmSync(folder, { recursive: true, force: true })
}

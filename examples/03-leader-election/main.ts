// Who runs the cron job? Three copies of an app elect one. No state machine, no new infrastructure: only their own disks.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RaftNode } from '@lab/raft'
import { fileStorage } from '@lab/raft/storage/file'
import { freeAddresses } from '../shared/ports.ts'
import { chooseTransport } from '../shared/transport.ts'

const transport = chooseTransport() // memory(), tcp() or webSocket()
const members = await freeAddresses(['n1', 'n2', 'n3'])
const folder = mkdtempSync(join(tmpdir(), 'leader-election-'))

// What the job writes to. A leader that was cut off, or slept through its own end, may not know that it leads no longer, so
// this must: the term is a fencing token, greater for every later leader. In a database: `… WHERE token <= $1`.
const posts: { by: string; token: number }[] = []
function post(by: string, token: number): boolean {
  if (token < (posts.at(-1)?.token ?? 0)) return false
  posts.push({ by, token })
  return true
}

// In your deployment each of these is a process on a machine of its own.
async function startApp(id: string): Promise<RaftNode> {
  const node = await RaftNode.start({ id, members, transport, storage: fileStorage(join(folder, id)) })
  void node.whileLeader(async ({ term, signal }) => {
    console.log(`${id} was elected, its fencing token is term ${term}`)
    while (!signal.aborted) {
      post(id, term)
      await sleep(20)
    }
  })
  return node
}

const apps = await Promise.all(Object.keys(members).map(startApp))

while (posts.length < 3) await sleep(5)
const first = posts[0] ?? { by: 'nobody', token: 0 }
console.log(`${first.by} has done the job three times; nobody else has`)

// The others may elect somebody else before all of it is closed.
const closing = apps.find(({ id }) => id === first.by)?.close()
console.log(`${first.by} is dead`)
await closing

while (posts.at(-1)?.by === first.by) await sleep(5)
const doers = new Set(posts.map(({ by }) => by))
console.log(`the job goes on, done by ${[...doers].join(', then ')}`)

const accepted = post(first.by, first.token)
console.log(`${first.by} rises and writes with term ${first.token}: ${accepted ? 'accepted?!' : 'refused'}`)

for (const app of apps) await app.close()
rmSync(folder, { recursive: true, force: true })

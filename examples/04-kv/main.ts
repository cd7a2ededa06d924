// The replicated key/value store: three servers with their logs on disk, and a clerk that notices nothing.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Clerk, KvServer } from '@lab/kvraft'
import { fileStorage } from '@lab/raft/storage/file'
import { freeAddresses } from '../shared/ports.ts'
import { chooseTransport } from '../shared/transport.ts'

const transport = chooseTransport() // memory(), tcp() or webSocket()
const members = await freeAddresses(['n1', 'n2', 'n3'])
const folder = mkdtempSync(join(tmpdir(), 'kv-'))
const start = (id: string): Promise<KvServer> =>
  KvServer.start({ id, members, transport, storage: fileStorage(join(folder, id)) })

const servers = await Promise.all(Object.keys(members).map(start))
const clerk = await Clerk.connect({ servers: Object.values(members), transport })

// A key, a value, and the revision that the store has from then on.
const { revision } = await clerk.put('ship', 'Pequod')
console.log(`ship = ${(await clerk.getText('ship')) ?? 'nothing'}, at revision ${revision}`)
console.log(`captain = ${(await clerk.getText('captain')) ?? 'nothing'}`)

// Appends while a leader dies. Some get no answer and are sent again; each still takes effect exactly once.
const appends = Array.from({ length: 200 }, (_, i) => clerk.append('log', `day ${i + 1}\n`))
await appends[0]
const leader = servers.find(({ node }) => node.status().role === 'leader')
await leader?.close()
await Promise.all(appends)
console.log(`${leader?.node.id ?? 'nobody'}, the leader, died`)

const days = ((await clerk.getText('log')) ?? '').trimEnd().split('\n')
console.log(`the log has ${days.length} entries, ${new Set(days).size} of them different`)

// Linearizable: whoever asks next, through whatever server, sees what was acknowledged before.
const other = await Clerk.connect({ servers: Object.values(members).reverse(), transport })
await clerk.put('ship', 'Rachel')
console.log(`another clerk sees ship = ${(await other.getText('ship')) ?? 'nothing'}`)
const { deleted } = await other.delete('ship')
console.log(`deleted: ${String(deleted)}; ship = ${(await clerk.getText('ship')) ?? 'nothing'}`)

await Promise.all([clerk.close(), other.close()])
await Promise.all(servers.map((server) => server.close()))
rmSync(folder, { recursive: true, force: true })

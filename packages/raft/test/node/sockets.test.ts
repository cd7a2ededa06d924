import { tcp } from '@lab/rpc/tcp'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RaftClient, RaftNode } from '../../src/index.ts'
import { fileStorage } from '../../src/storage/file/index.ts'
import { appender, type Appender } from './appender.ts'

let folder = ''
let members: Record<string, string> = {}
const nodes = new Map<string, RaftNode<Appender>>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-raft-'))
  const ports = await freePorts(3)
  members = Object.fromEntries(ports.map((port, i) => [`n${i + 1}`, `localhost:${port}`]))
})

afterEach(async () => {
  await Promise.all([...nodes.values()].map((node) => node.close()))
  nodes.clear()
  await rm(folder, { recursive: true, force: true })
})

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function start(id: string): Promise<RaftNode<Appender>> {
  const node = await RaftNode.start({
    id,
    members,
    transport: tcp(),
    storage: fileStorage(join(folder, id), { segmentBytes: 1024 * 1024 }),
    stateMachine: appender(),
    // Slow enough for a machine that does much else.
    timing: { heartbeatMs: 100, electionTimeoutMsMin: 600, electionTimeoutMsMax: 1200 },
    snapshotEveryBytes: 20_000,
  })
  nodes.set(id, node)
  return node
}

async function stop(id: string): Promise<void> {
  await nodes.get(id)?.close()
  nodes.delete(id)
}

describe('three nodes on TCP with files', () => {
  test('elect, agree, lose their leader, and come back with everything', async () => {
    const all = await Promise.all(Object.keys(members).map(start))
    await Promise.all(all.map((node) => node.ready()))
    const client = await RaftClient.connect<string, number, 'length' | 'all'>({
      servers: Object.values(members),
      transport: tcp(),
    })
    const expected: string[] = []
    const propose = async (count: number): Promise<void> => {
      const batch = Array.from({ length: count }, (_, i) => `item ${expected.length + i}`)
      expected.push(...batch)
      await Promise.all(batch.map((item) => client.propose(item, { timeout: 20_000 })))
    }
    await propose(300)

    const leader = all[0]!.status().leader!
    const during = propose(100)
    await stop(leader)
    await during
    await start(leader)
    await propose(50)
    expect([...((await client.read('all')) as string[])].sort()).toEqual([...expected].sort())

    for (const id of Object.keys(members)) await stop(id)
    const again = await Promise.all(Object.keys(members).map(start))
    for (const node of again) {
      const items = await node.read((machine) => [...machine.state.items], { timeout: 20_000 })
      expect([...items].sort()).toEqual([...expected].sort())
      expect(node.status().snapshotIndex).toBeGreaterThan(0)
    }
    await client.close()
  })

  test('one node alone is durable', async () => {
    members = { n1: members['n1']! }
    const node = await start('n1')
    expect(await node.propose('kept')).toBe(1)
    await stop('n1')
    const again = await start('n1')
    expect(await again.read((machine) => machine.state.items)).toEqual(['kept'])
    await expect(start('n1')).rejects.toMatchObject({ code: 'LOCKED' })
  })

  test('a fast client: a thousand commands in flight, answered once each', async () => {
    await Promise.all(Object.keys(members).map(start))
    const client = await RaftClient.connect<string, number>({
      servers: Object.values(members),
      transport: tcp(),
    })
    const results = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => client.propose(String(i), { timeout: 30_000 })),
    )
    expect(new Set(results).size).toBe(1000)
    const { syncs, proposals } = [...nodes.values()]
      .find((node) => node.status().role === 'leader')!
      .metrics()
    expect(proposals).toBeGreaterThanOrEqual(1000)
    expect(syncs).toBeLessThan(500)
    await client.close()
  })
})

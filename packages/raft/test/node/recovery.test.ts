import { describe, expect, test } from 'vitest'
import {
  RaftNode,
  inspectStorage,
  readBackup,
  recoverStorage,
  restoreBackup,
  type Storage,
} from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { memory } from '@lab/rpc/memory'
import { appender, errorOf, type Appender } from './appender.ts'

const ITEMS = ['a', 'b', 'c'.repeat(100_000)]
const items = (machine: Appender): readonly string[] => machine.state.items

async function filled(): Promise<RaftCluster<Appender>> {
  const t = await RaftCluster.start<Appender>({ seed: 2, stateMachine: appender })
  for (const item of ITEMS) await t.settle((await t.leader()).propose(item))
  return t
}

async function backupOf(t: RaftCluster<Appender>): Promise<Uint8Array[]> {
  const client = await t.client()
  const chunks: Uint8Array[] = []
  const draw = async (): Promise<void> => {
    for await (const chunk of client.backup()) chunks.push(chunk)
  }
  await t.settle(draw())
  return chunks
}

async function* drawn(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks
}

/** A server of another cluster, on the same network. */
function begin(t: RaftCluster<Appender>, id: string, storage: Storage): Promise<RaftNode<Appender>> {
  return t.settle(
    RaftNode.start<Appender>({
      id,
      clusterId: 'second',
      members: NEW_MEMBERS,
      transport: memory(t.network, { name: id }),
      storage,
      stateMachine: appender(),
      clock: t.clock,
    }),
  )
}
const NEW_MEMBERS = { m1: ['memory://m1'], m2: ['memory://m2'] }

describe('backup and restore', () => {
  test('a new cluster begins with the state, other members and another id, and the old one is not disturbed', async () => {
    const t = await filled()
    const chunks = await backupOf(t)
    const nodes: RaftNode<Appender>[] = []
    for (const nodeId of ['m1', 'm2']) {
      const storage = memoryStorage()
      const backup = await readBackup(drawn(chunks))
      expect(backup.header.clusterId).toBe('lab')
      await restoreBackup(storage, backup, { clusterId: 'second', nodeId, members: NEW_MEMBERS })
      nodes.push(await begin(t, nodeId, storage))
    }
    const [first] = nodes
    expect(await t.settle(first!.propose('d'))).toBe(ITEMS.length + 1)
    expect(await t.settle(nodes[1]!.read(items))).toEqual([...ITEMS, 'd'])
    expect(first!.status().voters).toEqual(['m1', 'm2'])
    expect(await t.settle((await t.leader()).read(items))).toEqual(ITEMS)
    await t.settle(Promise.all(nodes.map((node) => node.close())))
    await t.close()
  })

  test('holds what was acknowledged before it was asked for, whichever server makes it', async () => {
    const t = await filled()
    for (const id of t.ids) {
      await t.settle((await t.leader()).propose(id))
      const { header } = await readBackup(drawn(await backupOf(t)))
      expect(header.meta.index).toBeGreaterThanOrEqual((await t.leader()).status().commitIndex)
    }
    await t.close()
  })

  test('a damaged one is refused wherever the damage is, and nothing of it counts', async () => {
    const t = await filled()
    const chunks = await backupOf(t)
    const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
    chunks.reduce((at, chunk) => (whole.set(chunk, at), at + chunk.length), 0)
    const restore = async (bytes: Uint8Array): Promise<unknown> => {
      const storage = memoryStorage()
      const error = await errorOf(
        readBackup(drawn([bytes])).then((backup) =>
          restoreBackup(storage, backup, { clusterId: 'second', nodeId: 'm1', members: NEW_MEMBERS }),
        ),
      )
      const { snapshot } = await storage.open({ clusterId: 'second', nodeId: 'm1' })
      expect(snapshot).toBeNull()
      return error
    }
    for (const at of [0, 9, 20, 60, 500, whole.length - 1]) {
      const damaged = whole.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 1
      expect(await restore(damaged), `byte ${String(at)}`).toMatchObject({ code: 'CORRUPT' })
    }
    for (const length of [0, 5, 30, whole.length - 1])
      expect(await restore(whole.slice(0, length))).toMatchObject({ code: 'CORRUPT' })
    expect(await restore(Uint8Array.of(...whole, 0))).toMatchObject({ code: 'CORRUPT' })
    await t.close()
  })

  test('is refused where there are data already', async () => {
    const t = await filled()
    const backup = await readBackup(drawn(await backupOf(t)))
    const storage = memoryStorage()
    await storage.open({ clusterId: 'second', nodeId: 'm1' })
    await storage.write({ entries: [], hardState: { currentTerm: 1, votedFor: '' } })
    await storage.close()
    const into = { clusterId: 'second', nodeId: 'm1', members: NEW_MEMBERS }
    expect(await errorOf(restoreBackup(storage, backup, into))).toMatchObject({ code: 'BAD_REQUEST' })
    await t.close()
  })
})

describe('recovery from one server', () => {
  test('a majority is gone: the one that is left leads alone, with all that it had, and takes commands', async () => {
    const storage = memoryStorage()
    const t = await RaftCluster.start<Appender>({ seed: 2, stateMachine: appender })
    for (const item of ITEMS) await t.settle((await t.leader()).propose(item))
    await t.advance(300)
    for (const id of t.ids) await t.crash(id)
    const survivor = t.storage('n2')
    const owner = { clusterId: 'lab', nodeId: 'n2' }
    const report = await t.settle(inspectStorage(survivor, owner))
    expect(report).toMatchObject({
      nodeId: 'n2',
      snapshotIndex: 0,
      membership: { voters: ['n1', 'n2', 'n3'] },
    })
    expect(report.forced.voters).toEqual(['n2'])
    expect(report.risks.join(' ')).toMatch(/n1, n3.*lost.*committed.*never start again/s)
    expect(await t.settle(inspectStorage(survivor, owner))).toEqual(report)
    await t.settle(recoverStorage(survivor, owner))
    const again = await t.restart('n2')
    expect(await t.settle(again.propose('goes on'))).toBe(ITEMS.length + 1)
    expect(await t.settle(again.read(items))).toEqual([...ITEMS, 'goes on'])
    expect(again.status()).toMatchObject({ role: 'leader', voters: ['n2'] })
    expect(again.status().term).toBeGreaterThan(report.currentTerm)
    expect(await errorOf(inspectStorage(storage, owner))).toMatchObject({ code: 'BAD_REQUEST' })
    await t.close()
  })

  // Its folder names no first members: it has learned everything from the log, its own incarnation included.
  test.each(['add', 'addLearners'] as const)(
    'the one that is left was added later (%s): it leads alone, and takes others in again',
    async (how) => {
      const t = await RaftCluster.start<Appender>({ seed: 3, stateMachine: appender })
      const leader = await t.leader()
      await t.settle(leader.propose('before'))
      await t.join('n4')
      await t.settle(leader.changeMembership({ [how]: { n4: 'memory://n4' } }))
      await t.settle(leader.propose('after'))
      await t.settle(t.node('n4').read(items))
      for (const id of t.ids) await t.crash(id)
      const owner = { clusterId: 'lab', nodeId: 'n4' }
      const report = await t.settle(recoverStorage(t.storage('n4'), owner))
      expect(report.membership.voters).toEqual(how === 'add' ? ['n1', 'n2', 'n3', 'n4'] : ['n1', 'n2', 'n3'])
      expect(report.forced).toMatchObject({ voters: ['n4'], learners: [] })
      const again = await t.restart('n4')
      expect(await t.settle(again.propose('goes on'))).toBe(3)
      expect(again.status()).toMatchObject({ role: 'leader', voters: ['n4'] })
      const fresh = await t.join('n1')
      await t.settle(again.changeMembership({ add: { n1: 'memory://n1' } }))
      expect(await t.settle(fresh.read(items))).toEqual(['before', 'after', 'goes on'])
      await t.close()
    },
  )
})

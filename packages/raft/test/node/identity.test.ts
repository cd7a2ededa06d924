import { MemoryNetwork, memory } from '@lab/rpc/memory'
import { ManualClock } from '@lab/rpc/testing'
import { describe, expect, test } from 'vitest'
import { RaftNode, type RaftError } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import type { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, errorOf, type Appender } from './appender.ts'
import { startChecked } from './checked-cluster.ts'

const start = (options: Parameters<typeof startChecked<Appender>>[0] = {}): Promise<RaftCluster<Appender>> =>
  startChecked<Appender>({ stateMachine: appender, ...options })

describe('identity', () => {
  test('a node whose disk was wiped is refused by its peers, and stops itself with what to do', async () => {
    const t = await start()
    const leader = await t.leader()
    const victim = t.except(leader)[0]!
    await t.settle(leader.propose('kept'))
    await t.crash(victim)
    const wiped = await t.restart(victim, { wiped: true })
    let fatal: RaftError | undefined
    wiped.on('fatal', ({ error }) => (fatal = error))
    await t.until(() => fatal !== undefined, 5000)
    expect(fatal).toMatchObject({ code: 'WIPED' })
    expect(fatal?.message).toContain(`Remove ${victim} from the cluster and add it again`)
    expect(await t.settle(errorOf(wiped.propose('x')))).toMatchObject({
      code: 'CLOSED',
      outcome: 'not-applied',
    })
    await t.settle(leader.propose('the others go on'))
    await t.close()
  })

  test('two wiped nodes do not outvote what the third remembers', async () => {
    const t = await start()
    const leader = await t.leader()
    await t.settle(leader.propose('kept'))
    const wiped = t.except(leader)
    for (const id of wiped) await t.crash(id)
    for (const id of wiped) await t.restart(id, { wiped: true })
    await t.advance(3000)
    // The only one with data cannot commit, but has lost nothing, and nobody leads without it.
    expect(t.node(leader.id).status().appliedIndex).toBeGreaterThan(0)
    expect(await leader.read((machine) => machine.state.items, { consistency: 'stale' })).toEqual(['kept'])
    for (const id of wiped) expect(t.node(id).status().commitIndex).toBe(0)
    await t.close()
  })

  test('a peer of another cluster, and one that is no member, are refused and change nothing', async () => {
    const t = await start()
    await t.leader()
    const strangers = [
      { id: 'n9', clusterId: 'lab', members: { n9: 'memory://n9', n1: 'memory://n1' } },
      { id: 'n2', clusterId: 'other', members: { n2: 'memory://elsewhere', n1: 'memory://n1' } },
    ]
    const warnings: string[] = []
    const nodes = []
    for (const stranger of strangers)
      nodes.push(
        await t.settle(
          RaftNode.start({
            ...stranger,
            transport: memory(t.network, { name: `${stranger.id}-stranger` }),
            storage: memoryStorage({ clock: t.clock }),
            clock: t.clock,
            logger: { info: () => {}, error: () => {}, warn: (text) => warnings.push(text) },
          }),
        ),
      )
    const term = (await t.leader()).status().term
    await t.advance(5000)
    expect((await t.leader()).status().term).toBe(term)
    for (const node of nodes) expect(node.status()).toMatchObject({ leader: null, commitIndex: 0 })
    expect(warnings.some((text) => text.includes('knows no other member n9'))).toBe(true)
    expect(warnings.some((text) => text.includes('cluster'))).toBe(true)
    for (const node of nodes) await t.settle(node.close())
    await t.close()
  })

  test('the members of the options bootstrap once; afterwards the log counts, and a difference is told', async () => {
    const network = new MemoryNetwork()
    const clock = new ManualClock()
    const storage = memoryStorage()
    const open = (members: Record<string, string>): Promise<RaftNode> =>
      clock.settle(
        RaftNode.start({ id: 'n1', members, transport: memory(network, { name: 'n1' }), storage, clock }),
      )
    const first = await open({ n1: 'memory://n1' })
    await clock.settle(first.ready())
    await clock.settle(first.close())
    const second = await open({ n1: 'memory://n1', n2: 'memory://n2' })
    let told: string | null = null
    second.on('membership', ({ difference }) => (told ??= difference))
    await clock.settle(second.ready())
    expect(second.status().voters).toEqual(['n1'])
    expect(second.status().notes.join()).toContain('members adds n2')
    expect(told).toContain('members adds n2')
    await clock.settle(second.close())
  })

  test('another node’s storage is refused', async () => {
    const network = new MemoryNetwork()
    const clock = new ManualClock()
    const storage = memoryStorage()
    const open = (id: string): Promise<RaftNode> =>
      clock.settle(
        RaftNode.start({
          id,
          members: { [id]: `memory://${id}` },
          transport: memory(network, { name: id }),
          storage,
          clock,
        }),
      )
    await clock.settle((await open('n1')).close())
    expect(await errorOf(open('n2'))).toMatchObject({ name: 'StorageError', code: 'WRONG_NODE' })
    // What was opened on the way is closed again.
    await clock.settle((await open('n1')).close())
  })

  test('a port that is taken fails the start and leaves the storage closed', async () => {
    const network = new MemoryNetwork()
    const clock = new ManualClock()
    const storage = memoryStorage()
    const open = (name: string, own = storage): Promise<RaftNode> =>
      clock.settle(
        RaftNode.start({
          id: 'n1',
          members: { n1: 'memory://n1' },
          transport: memory(network, { name }),
          storage: own,
          clock,
        }),
      )
    const holder = await open('a', memoryStorage())
    expect(await errorOf(open('b'))).toMatchObject({ code: 'ADDRESS_IN_USE' })
    await clock.settle(holder.close())
    await clock.settle((await open('b')).close())
  })
})

describe('forwarding', () => {
  test('a forwarder sends once: a lost reply with attempts: 1 is unknown, and the leader saw it once', async () => {
    const t = await start()
    const leader = await t.leader()
    const follower = t.node(t.except(leader)[0]!)
    await t.settle(follower.propose('first'))
    const before = leader.metrics().proposals
    // Only answers to this follower are lost; the leader goes on leading the third.
    t.network.cut(leader.id, follower.id)
    const error = await t.settle(errorOf(follower.propose('once', { attempts: 1, timeout: 3000 })))
    expect(error).toMatchObject({ outcome: 'unknown' })
    expect(leader.metrics().proposals - before).toBe(1)
    t.heal()
    expect(await t.settle(follower.read((machine) => machine.state.items))).toEqual(['first', 'once'])
    await t.close()
  })

  test('in a session the same command is asked again under its number, and counts once', async () => {
    const t = await start()
    const leader = await t.leader()
    const follower = t.node(t.except(leader)[0]!)
    await t.settle(follower.propose('first'))
    t.network.cut(leader.id, follower.id)
    const proposed = follower.propose('once', { timeout: 20_000 })
    await t.advance(4000)
    t.heal()
    expect(await t.settle(proposed)).toBe(2)
    expect(await t.settle(follower.read((machine) => machine.state.items))).toEqual(['first', 'once'])
    await t.close()
  })
})

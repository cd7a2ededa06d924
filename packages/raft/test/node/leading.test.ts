import { describe, expect, test } from 'vitest'
import type { RaftNode } from '../../src/index.ts'
import { appender, errorOf, type Appender } from './appender.ts'
import { startChecked } from './checked-cluster.ts'

describe('whileLeader', () => {
  test('without a state machine: the work runs on one node at a time, and its term only grows', async () => {
    const t = await startChecked({ seed: 3 })
    const begun: { id: string; term: number }[] = []
    const running = new Set<string>()
    const watch = (node: RaftNode): void => {
      void node.whileLeader(async ({ term, signal }) => {
        begun.push({ id: node.id, term })
        running.add(node.id)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        running.delete(node.id)
      })
    }
    for (const node of t.nodes) watch(node)
    for (let i = 0; i < 3; i++) {
      const leader = await t.leader()
      await t.until(() => running.has(leader.id))
      await t.crash(leader.id)
      running.delete(leader.id)
      await t.leader()
      await t.until(() => running.size === 1)
      watch(await t.restart(leader.id))
    }
    const terms = begun.map(({ term }) => term)
    expect(terms.length).toBeGreaterThanOrEqual(4)
    expect(terms).toEqual([...new Set(terms)].sort((a, b) => a - b))
    await t.close()
  })

  test('a leader cut off has its work called off', async () => {
    const t = await startChecked({ seed: 4 })
    const leader = await t.leader()
    let aborted: unknown
    const task = leader.whileLeader(
      ({ signal }) =>
        new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => {
            aborted = signal.reason
            resolve()
          }),
        ),
    )
    await t.advance(100)
    t.isolate(leader.id)
    await t.until(() => aborted !== undefined, 3000)
    expect(aborted).toMatchObject({ code: 'LEADERSHIP_LOST' })
    await task.stop()
    await task
    await t.close()
  })

  test('closing the node ends it, and awaiting it then resolves', async () => {
    const t = await startChecked({ servers: 1 })
    const node = await t.leader()
    const task = node.whileLeader(
      ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
    )
    await t.advance(10)
    await t.close()
    await task
  })
})

describe('leadership', () => {
  test('is handed over when asked (thesis §3.10), and only by the leader', async () => {
    const t = await startChecked<Appender>({ seed: 5, stateMachine: appender })
    const old = await t.leader()
    const heir = t.node(t.except(old)[0]!)
    expect(await t.settle(errorOf(heir.transferLeadership('n1')))).toSatisfy(
      (error) => heir.status().leader === 'n1' || (error as { code: string }).code === 'NOT_LEADER',
    )
    await t.settle(old.transferLeadership(heir.id))
    expect((await t.leader()).id).toBe(heir.id)
    expect(await t.settle(errorOf(heir.transferLeadership('n9')))).toMatchObject({ code: 'BAD_REQUEST' })
    await t.close()
  })

  test('events tell who leads and what role this node has', async () => {
    const t = await startChecked({ seed: 6 })
    const node = t.node('n1')
    const roles: string[] = []
    const leaders: (string | null)[] = []
    const off = node.on('role', ({ role }) => roles.push(role))
    node.on('leader', ({ leader }) => leaders.push(leader))
    node.on('leader', () => {
      throw new Error('a listener that throws harms nobody')
    })
    await t.leader()
    await t.until(() => node.status().leader !== null)
    expect(leaders.at(-1)).toBe((await t.leader()).id)
    off()
    const count = roles.length
    await t.crash((await t.leader()).id === 'n1' ? 'n2' : (await t.leader()).id)
    await t.advance(1000)
    expect(roles).toHaveLength(count)
    await t.close()
  })

  test('an idle cluster stays as it is: no elections, no log', async () => {
    const t = await startChecked<Appender>({ seed: 7, stateMachine: appender })
    const leader = await t.leader()
    await t.advance(200)
    const { term, lastIndex } = leader.status()
    await t.advance(30_000)
    expect(leader.status()).toMatchObject({ role: 'leader', term, lastIndex })
    await t.close()
  })
})

describe('snapshots on a cluster (§7)', () => {
  test('carry sessions with the state: a command retried after a snapshot and a restart of all counts once', async () => {
    const t = await startChecked<Appender>({
      seed: 8,
      stateMachine: appender,
      options: { limits: { trailingBytes: 0 } },
    })
    const leader = await t.leader()
    const client = await t.client<string, number>({ name: 'c' })
    await t.settle(client.propose('first'))
    t.network.cut(leader.id, 'c')
    const proposed = client.propose('once', { timeout: 60_000 })
    await t.advance(100)
    for (const node of t.nodes) {
      const { index } = await t.settle(node.snapshot())
      expect(index).toBe(node.status().appliedIndex)
    }
    for (const id of t.ids) await t.crash(id)
    for (const id of t.ids) await t.restart(id)
    t.heal()
    expect(await t.settle(proposed)).toBe(2)
    for (const node of t.nodes) {
      expect(node.status().snapshotIndex).toBeGreaterThan(0)
      expect(await t.settle(node.read((machine) => machine.state.items))).toEqual(['first', 'once'])
    }
    await t.close()
  })

  test('bring back a follower that was away for longer than the log reaches', async () => {
    const t = await startChecked<Appender>({
      seed: 9,
      stateMachine: appender,
      options: { snapshotEveryBytes: 2000, limits: { trailingBytes: 0 } },
    })
    const leader = await t.leader()
    const slow = t.except(leader)[0]!
    await t.crash(slow)
    for (let i = 0; i < 60; i++) await t.settle(leader.propose(`item ${i}`))
    expect(leader.metrics().snapshotsTaken).toBeGreaterThan(1)
    const again = await t.restart(slow)
    await t.settle(again.waitApplied(leader.status().commitIndex))
    expect(again.metrics().snapshotsInstalled).toBe(1)
    expect(await again.read((machine) => machine.state.items.length, { consistency: 'stale' })).toBe(60)
    await t.settle(again.propose('and goes on'))
    await t.close()
  })

  test('a state machine without snapshots keeps its log, and says so when asked for one', async () => {
    const bare = (): Appender => {
      const { apply, state } = ((machine) => ({ apply: machine.apply.bind(machine), state: machine.state }))(
        appender(),
      )
      return { apply, state } as unknown as Appender
    }
    const t = await startChecked<Appender>({
      servers: 1,
      stateMachine: bare,
      options: { snapshotEveryBytes: 500 },
    })
    const node = await t.leader()
    for (let i = 0; i < 30; i++) await t.settle(node.propose(`item ${i}`))
    expect(node.metrics().snapshotsTaken).toBe(0)
    expect(await t.settle(errorOf(node.snapshot()))).toMatchObject({ code: 'BAD_REQUEST' })
    await t.crash('n1')
    const again = await t.restart('n1')
    expect(await t.settle(again.read((machine) => machine.state.items.length))).toBe(30)
    await t.close()
  })

  test('a state machine whose snapshot throws stops its own node, with a reason', async () => {
    const broken = (): Appender =>
      Object.assign(appender(), {
        snapshot: () => {
          throw new Error('out of paper')
        },
      })
    const t = await startChecked<Appender>({
      servers: 1,
      stateMachine: broken,
      options: { snapshotEveryBytes: 500 },
    })
    const node = await t.leader()
    let fatal: unknown
    node.on('fatal', ({ error }) => (fatal = error))
    for (let i = 0; i < 30 && fatal === undefined; i++) await t.settle(errorOf(node.propose(`item ${i}`)))
    await t.until(() => fatal !== undefined)
    expect(fatal).toMatchObject({
      code: 'STATE_MACHINE_FAILED',
      message: expect.stringContaining('out of paper') as string,
    })
    await t.close()
  })
})

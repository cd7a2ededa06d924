import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, type Appender } from './appender.ts'

test('metrics count and time what a node does: what is committed, durable, sent, and how far each follower is', async () => {
  const t = await RaftCluster.start<Appender>({ stateMachine: appender })
  const leader = await t.leader()
  for (let i = 0; i < 20; i++) await t.settle(leader.propose('x'.repeat(100)))
  await t.advance(300)
  await t.settle(leader.snapshot())
  const metrics = leader.metrics()
  const { commitIndex } = leader.status()
  expect(metrics).toMatchObject({
    role: 'leader',
    hasLeader: true,
    commitIndex,
    appliedIndex: commitIndex,
    snapshotIndex: commitIndex,
    proposals: 21,
    proposalsFailed: 0,
    pendingProposals: 0,
    uncommittedBytes: 0,
    leaderChanges: 1,
    elections: 1,
    snapshotsTaken: 1,
  })
  expect(metrics.syncedBytes).toBeGreaterThan(20 * 100)
  expect(metrics.bytesSent).toBeGreaterThan(2 * 20 * 100)
  expect(metrics.bytesReceived).toBeGreaterThan(0)
  expect(metrics.snapshotBytes).toBeGreaterThan(20 * 100)
  const { syncMs, snapshotMs, peers } = metrics
  expect(syncMs.count).toBe(metrics.syncs)
  expect(syncMs.counts.reduce((a, b) => a + b)).toBe(syncMs.count)
  // The simulated disk takes between half a millisecond and two.
  expect(syncMs.sum / syncMs.count).toBeGreaterThan(0.5)
  expect(syncMs.sum / syncMs.count).toBeLessThan(2.1)
  expect(snapshotMs.count).toBe(1)
  expect(Object.keys(peers).sort()).toEqual(t.except(leader))
  for (const { matchIndex, state, roundTripMs } of Object.values(peers)) {
    expect([matchIndex, state]).toEqual([commitIndex, 'replicate'])
    expect(roundTripMs).toBeGreaterThan(0.5)
    expect(roundTripMs).toBeLessThan(6)
  }
  await t.close()
})

test('diagnostics_channel tells subscribers of roles, snapshots and proposals, and of no value', async () => {
  const told: [string, Record<string, unknown>][] = []
  const listenTo = (name: string): (() => void) => {
    const listener = (message: unknown): void => {
      told.push([name, message as Record<string, unknown>])
    }
    subscribe(`lab:raft.${name}`, listener)
    return () => unsubscribe(`lab:raft.${name}`, listener)
  }
  const off = ['role', 'snapshot', 'propose'].map(listenTo)
  const t = await RaftCluster.start<Appender>({ servers: 1, stateMachine: appender })
  const node = await t.leader()
  await t.settle(node.propose('secret'))
  await t.settle(node.propose('forbidden').catch(() => undefined))
  await t.settle(node.snapshot())
  for (const end of off) end()
  await t.settle(node.propose('after'))
  expect(told.filter(([name]) => name === 'role').at(-1)?.[1]).toMatchObject({ node: 'n1', role: 'leader' })
  expect(told.filter(([name]) => name === 'propose').map(([, message]) => message)).toMatchObject([
    { node: 'n1', error: null, ms: expect.any(Number) as number },
    { node: 'n1', error: null },
  ])
  expect(told.find(([name]) => name === 'snapshot')?.[1]).toMatchObject({ node: 'n1', index: 5 })
  expect(JSON.stringify(told)).not.toContain('secret')
  await t.close()
})

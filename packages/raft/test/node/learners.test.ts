/** Learners on whole nodes (thesis §4.2.1): they have the log and serve reads, and nothing is decided by them. */
import { expect, test } from 'vitest'
import type { RaftNode } from '../../src/index.ts'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, errorOf, type Appender } from './appender.ts'

const count = (machine: Appender): number => machine.state.items.length

async function withLearner(): Promise<{ t: RaftCluster<Appender>; learner: RaftNode<Appender> }> {
  const t = await RaftCluster.start<Appender>({ seed: 4, stateMachine: appender })
  const leader = await t.leader()
  await t.settle(leader.propose('first'))
  const learner = await t.join('n4')
  await t.settle(leader.changeMembership({ addLearners: { n4: 'memory://n4' } }))
  return { t, learner }
}

test('a learner’s linearizable read sees what was acknowledged a moment ago, and writes nothing to the log (thesis §6.4)', async () => {
  const { t, learner } = await withLearner()
  const leader = await t.leader()
  await t.settle(leader.propose('second'))
  const { lastIndex } = leader.status()
  expect(await t.settle(learner.read(count))).toBe(2)
  expect(leader.status().lastIndex).toBe(lastIndex)
  const { index } = await t.settle(leader.submit('third'))
  expect(await t.settle(learner.read(count, { consistency: 'stale', atLeast: index }))).toBe(3)
  await t.close()
})

test('with the other voters gone a learner confirms no leader and commits nothing: only stale reads are answered', async () => {
  const { t, learner } = await withLearner()
  const leader = await t.leader()
  for (const voter of ['n1', 'n2', 'n3']) if (voter !== leader.id) await t.crash(voter)
  const { commitIndex } = leader.status()
  const options = { timeout: 400 }
  const write = errorOf(leader.propose('lost', options))
  const reads = [leader, learner].map((node) => errorOf(node.read(count, options)))
  expect(await t.settle(write)).toMatchObject({ outcome: 'unknown' })
  for (const read of reads) expect(await t.settle(read)).toMatchObject({ code: 'TIMEOUT' })
  expect(leader.status().commitIndex).toBe(commitIndex)
  expect(learner.status().lastIndex).toBeGreaterThan(commitIndex)
  expect(await t.settle(learner.read(count, { consistency: 'stale' }))).toBe(1)
  // §6.2: a leader that hears only learners hears no majority.
  await t.advance(1500)
  expect(leader.status().role).not.toBe('leader')
  expect(learner.metrics().campaigns).toBe(0)
  await t.close()
})

test('a learner neither campaigns when the leader dies nor keeps anybody waiting when it is dead itself', async () => {
  const { t, learner } = await withLearner()
  const old = await t.leader()
  await t.crash(old.id)
  const leader = await t.leader()
  expect(leader.id).not.toBe(learner.id)
  expect(learner.metrics().campaigns).toBe(0)
  expect(await t.settle(learner.read(count))).toBe(1)
  await t.crash('n4')
  expect(await t.settle(leader.propose('without it'))).toBe(2)
  await t.close()
})

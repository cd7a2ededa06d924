/** A group gets members in processes where it did not run before. */
import { expect, test } from 'vitest'
import type { RaftNode } from '../../src/index.ts'
import { errorOf, type Appender } from '../node/appender.ts'
import { HostCluster } from './host-cluster.ts'

const items = (node: RaftNode<Appender>): Promise<string[]> =>
  node.read((machine) => [...machine.state.items])

const at = (id: string): Record<string, string> => ({ [id]: `memory://${id}` })

async function leaderOf(t: HostCluster, group: number): Promise<RaftNode<Appender>> {
  await t.until(() => t.nodesOf(group).some((node) => node.status().role === 'leader'))
  return t.nodesOf(group).find((node) => node.status().role === 'leader') as RaftNode<Appender>
}

test('§6 a group moves to new processes, one after another, until none of the first is left; others stay where they are', async () => {
  const t = await HostCluster.start({ groups: [1, 2] })
  await t.led()
  await t.settle(t.node('n1', 1).propose('before'))
  for (const id of ['n4', 'n5', 'n6']) await t.addProcess(id)
  for (const id of ['n4', 'n5', 'n6']) {
    const node = await t.joinGroup(id, 1)
    expect(node.status()).toMatchObject({ voters: [], leader: null })
    const leader = await leaderOf(t, 1)
    await t.settle(leader.changeMembership({ add: at(id) }))
    expect(await t.settle(items(node))).toEqual(['before'])
  }
  const leader = await leaderOf(t, 1)
  await t.settle(leader.changeMembership({ remove: t.ids }))
  await t.settle(Promise.all(t.ids.map((id) => t.host(id).removeGroup(1))))
  expect(t.host('n1').groups).toEqual([2])
  await t.settle(t.node('n5', 1).propose('after'))
  expect(await t.settle(items(t.node('n6', 1)))).toEqual(['before', 'after'])
  await t.settle(t.node('n1', 2).propose('undisturbed'))
  await t.close()
})

test('a process that restarts while its group waits to be added is found again, and so is one that was added', async () => {
  const t = await HostCluster.start({ groups: [1] })
  await t.led()
  await t.addProcess('n4')
  await t.joinGroup('n4', 1)
  t.crash('n4')
  await t.restart('n4')
  // Now that the process runs, but the group does not yet: it is not taken for a member.
  const early = await t.settle(errorOf(t.node('n1', 1).changeMembership({ add: at('n4') })))
  expect(early).toMatchObject({ code: 'UNKNOWN_NODE', outcome: 'not-applied' })
  expect(String(early)).toContain('group 1 does not run on this server')
  await t.joinGroup('n4', 1)
  await t.settle(t.node('n1', 1).changeMembership({ add: at('n4') }))
  t.crash('n4')
  await t.settle(t.node('n2', 1).propose('meanwhile'))
  await t.restart('n4')
  await t.advance(1000)
  const again = await t.joinGroup('n4', 1)
  expect(await t.settle(items(again))).toEqual(['meanwhile'])
  expect(again.status().voters).toContain('n4')
  await t.close()
  t.expectRules()
})

test('a group that was removed from a process is told, once it waits there anew, over the link that was there all the time', async () => {
  const t = await HostCluster.start({ groups: [1, 2] })
  await t.led()
  await t.addProcess('n4')
  await t.joinGroup('n4', 2)
  await t.settle(t.node('n1', 2).changeMembership({ add: at('n4') }))
  const joined = await t.joinGroup('n4', 1)
  const leader = await leaderOf(t, 1)
  await t.settle(leader.propose('x'))
  await t.settle(leader.changeMembership({ addLearners: at('n4') }))
  expect(await t.settle(items(joined))).toEqual(['x'])
  await t.stopGroup('n4', 1)
  await t.settle(t.host('n4').removeGroup(1))
  await t.settle(leader.changeMembership({ remove: ['n4'] }))
  const anew = await t.joinGroup('n4', 1)
  await t.settle(leader.changeMembership({ addLearners: at('n4') }))
  expect(await t.settle(items(anew))).toEqual(['x'])
  await t.close()
})

test('a group that joined, was removed and forgotten may begin anew with members of its own', async () => {
  const t = await HostCluster.start({ groups: [1] })
  await t.led()
  await t.addProcess('n4')
  await t.joinGroup('n4', 7)
  await t.settle(t.host('n4').removeGroup(7))
  const alone = await t.settle(t.host('n4').startGroup({ group: 7, members: at('n4') }))
  await t.settle(alone.ready())
  expect(alone.status()).toMatchObject({ role: 'leader', voters: ['n4'] })
  await t.close()
})

test('when a link comes up two processes greet each other for all groups in a call or two, not in one for each', async () => {
  const groups = Array.from({ length: 40 }, (_, i) => i + 1)
  const t = await HostCluster.start({ groups })
  // All links are up, and nobody has been elected yet.
  await t.advance(100)
  const hellos = t.trace.filter((event) => event.k === 'send' && event['type'] === 'raft.peer.hello')
  expect(hellos.length).toBeGreaterThan(0)
  expect(hellos.length).toBeLessThanOrEqual(4 * t.ids.length * (t.ids.length - 1))
  await t.close()
})

import { describe, expect, test } from 'vitest'
import type { RaftNode } from '../../src/index.ts'
import { errorOf, type Appender } from '../node/appender.ts'
import { HostCluster } from './host-cluster.ts'

const items = (node: RaftNode<Appender>): Promise<string[]> =>
  node.read((machine) => [...machine.state.items])

describe('a process of many groups', () => {
  test('each group elects, commits and reads by itself, over one connection each way between two processes', async () => {
    const t = await HostCluster.start({ groups: [0, 1, 2, 77] })
    await t.led()
    for (const group of t.groups)
      for (const id of t.ids) await t.settle(t.node(id, group).propose(`${id} ${group}`))
    for (const group of t.groups)
      expect(await t.settle(items(t.node('n2', group)))).toEqual(t.ids.map((id) => `${id} ${group}`))
    for (const id of t.ids) expect(t.host(id).server.connections).toBe(2)
    await t.close()
    t.expectRules()
  })

  test('a client names its group, and is told by a server that does not run it', async () => {
    const t = await HostCluster.start({ groups: [0, 7] })
    await t.led()
    await t.stopGroup('n1', 7)
    const client = await t.client(7)
    for (const item of ['a', 'b', 'c']) await t.settle(client.propose(item))
    expect(await t.settle(client.read('all'))).toEqual(['a', 'b', 'c'])
    expect(await t.settle(items(t.node('n1', 0)))).toEqual([])
    const reports = await t.settle(client.status())
    expect(reports.map(({ error }) => error?.message ?? null)).toEqual([
      expect.stringContaining('group 7 does not run on this server'),
      null,
      null,
    ])
    const other = await t.client(8)
    const error = errorOf(other.propose('x', { timeout: 1000 }))
    expect(await t.settle(error)).toMatchObject({ code: 'TIMEOUT', outcome: 'not-applied' })
    await client.close()
    await other.close()
    await t.close()
  })

  test('one that crashes and comes back has every group as it was', async () => {
    const t = await HostCluster.start({ groups: [1, 2, 3], seed: 4 })
    await t.led()
    for (const group of t.groups) await t.settle(t.node('n1', group).propose(`before ${group}`))
    t.crash('n1')
    for (const group of t.groups) await t.settle(t.node('n2', group).propose(`without ${group}`))
    await t.restart('n1')
    for (const group of t.groups)
      expect(await t.settle(items(t.node('n1', group)))).toEqual([`before ${group}`, `without ${group}`])
    await t.close()
    t.expectRules()
  })

  test('a group is closed and started again beside others that go on; one number is used once at a time', async () => {
    const t = await HostCluster.start({ groups: [1, 2] })
    await t.led()
    await t.settle(t.node('n1', 1).propose('x'))
    const twice = errorOf(t.host('n1').startGroup({ group: 1, members: t.members }))
    expect(await twice).toMatchObject({ code: 'BAD_REQUEST' })
    await t.stopGroup('n1', 1)
    expect(t.host('n1').groups).toEqual([2])
    await t.settle(t.node('n1', 2).propose('y'))
    await t.settle(t.startGroup('n1', 1))
    expect(await t.settle(items(t.node('n1', 1)))).toEqual(['x'])
    await t.close()
    expect(await errorOf(t.host('n1').startGroup({ group: 9, members: t.members }))).toMatchObject({
      code: 'CLOSED',
    })
  })

  test('a group that is removed is forgotten, and its number begins anew', async () => {
    const t = await HostCluster.start({ groups: [1, 2] })
    await t.led()
    await t.settle(t.node('n1', 1).propose('x'))
    await t.settle(Promise.all(t.ids.map((id) => t.host(id).removeGroup(1))))
    for (const id of t.ids) expect(t.host(id).groups).toEqual([2])
    await t.settle(Promise.all(t.ids.map((id) => t.startGroup(id, 1))))
    await t.settle(t.node('n2', 1).propose('anew'))
    expect(await t.settle(items(t.node('n1', 1)))).toEqual(['anew'])
    await t.close()
  })
})

import { expect, test } from 'vitest'
import { HostCluster } from './host-cluster.ts'

test('§6 members of one group change while the others stay, also when the group has been quiet for long', async () => {
  const t = await HostCluster.start({ groups: [1, 2] })
  await t.led()
  const leader = t.leaderOf(1)
  const other = t.ids.find((id) => id !== leader?.id) ?? ''
  await t.settle(leader?.changeMembership({ demote: [other] }) ?? Promise.reject(new Error('nobody leads')))
  await t.rest()
  expect(t.node(other, 1).status()).toMatchObject({ learners: [other] })
  expect(t.node(other, 2).status()).toMatchObject({ learners: [], voters: t.ids })
  const done = await t.settle(t.node(other, 1).changeMembership({ promote: [other] }))
  expect([...done.membership.voters].sort()).toEqual(t.ids)
  await t.settle(t.node(other, 1).changeMembership({ remove: [leader?.id ?? ''] }))
  await t.settle(t.node(other, 1).propose('goes on'))
  await t.led([leader?.id ?? ''], [1])
  await t.led([], [2])
  await t.close()
  t.expectRules()
})

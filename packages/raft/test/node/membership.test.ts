/** Changing who takes part, on whole nodes in virtual time: §6, thesis §4, and what disks that were emptied must not do. */
import { describe, expect, test } from 'vitest'
import type { RaftNode } from '../../src/index.ts'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { appender, errorOf, type Appender } from './appender.ts'

const start = (
  options: Parameters<typeof RaftCluster.start<Appender>>[0] = {},
): Promise<RaftCluster<Appender>> => RaftCluster.start<Appender>({ stateMachine: appender, ...options })

const at = (...ids: readonly string[]): Record<string, string> =>
  Object.fromEntries(ids.map((id) => [id, `memory://${id}`]))

const items = (node: RaftNode<Appender>): Promise<string[]> =>
  node.read((machine) => [...machine.state.items])

describe('§6 a cluster grows and shrinks', () => {
  test('a server that joins is added as learner, catches up and votes; it has all that was written before', async () => {
    const t = await start()
    const leader = await t.leader()
    for (const text of ['a', 'b', 'c']) await t.settle(leader.propose(text))
    const n4 = await t.join('n4')
    expect(n4.status()).toMatchObject({ role: 'follower', leader: null, voters: [] })
    const { membership, committed } = await t.settle(leader.changeMembership({ add: at('n4') }))
    expect(committed).toBe(true)
    expect(membership).toMatchObject({ voters: ['n1', 'n2', 'n3', 'n4'], votersOutgoing: [], learners: [] })
    expect(await t.settle(items(n4))).toEqual(['a', 'b', 'c'])
    await t.close()
  })

  test('every server is replaced by another, under load: nothing acknowledged is lost, nothing happens twice', async () => {
    const t = await start({ seed: 5 })
    const leader = await t.leader()
    const client = await t.client<string, number>()
    const written: string[] = []
    let going = true
    const load = (async () => {
      for (let n = 0; going; n++) {
        await client.propose(`w${n}`, { timeout: 20_000 })
        written.push(`w${n}`)
      }
    })()
    for (const id of ['n4', 'n5', 'n6']) await t.join(id)
    const done = await t.settle(
      leader.changeMembership({ add: at('n4', 'n5', 'n6'), remove: ['n1', 'n2', 'n3'] }),
    )
    expect(done.membership.voters).toEqual(['n4', 'n5', 'n6'])
    const next = await t.leader({ among: ['n4', 'n5', 'n6'] })
    await t.advance(1000)
    going = false
    await t.settle(load)
    expect(written.length).toBeGreaterThan(50)
    for (const id of ['n1', 'n2', 'n3']) await t.crash(id)
    expect(await t.settle(items(next))).toEqual(written)
    await t.close()
  })

  test('a leader that is removed commits the change, hands over at once and leads no more (thesis §4.2.2)', async () => {
    const t = await start()
    const old = await t.leader()
    const rest = t.except(old)
    const client = await t.client({ role: 'admin' })
    await t.settle(client.changeMembership({ remove: [old.id] }))
    const before = t.clock.now()
    const next = await t.leader({ among: rest })
    // No election timeout was waited for.
    expect(t.clock.now() - before).toBeLessThan(100)
    expect(next.status().voters).toEqual(rest)
    await t.advance(5000)
    expect(old.status().role).toBe('follower')
    expect(next.status()).toMatchObject({ role: 'leader', leader: next.id })
    await t.settle(next.propose('goes on'))
    await t.close()
  })

  test('a follower that is removed learns of it and disturbs nobody (thesis §4.2.3)', async () => {
    const t = await start()
    const leader = await t.leader()
    const gone = t.node(t.except(leader)[0] ?? '')
    await t.settle(leader.changeMembership({ remove: [gone.id] }))
    await t.until(() => !gone.status().voters.includes(gone.id), 1000)
    const { term } = leader.status()
    await t.advance(10_000)
    expect(gone.metrics().campaigns).toBe(0)
    expect(leader.status()).toMatchObject({ role: 'leader', term })
    await t.close()
  })

  test('one that was away while it was removed comes back, asks for votes and gets none', async () => {
    const t = await start()
    const leader = await t.leader()
    const gone = t.except(leader)[0] ?? ''
    await t.crash(gone)
    await t.settle(leader.changeMembership({ remove: [gone] }))
    const { term } = leader.status()
    await t.restart(gone)
    await t.advance(10_000)
    expect(leader.status()).toMatchObject({ role: 'leader', term })
    expect(t.node(gone).status().role).not.toBe('leader')
    await t.settle(leader.propose('undisturbed'))
    await t.close()
  })

  test('one that was away while all the others were replaced is found by the new ones, and catches up', async () => {
    const t = await start()
    const leader = await t.leader()
    const away = t.except(leader)[0] ?? ''
    await t.crash(away)
    for (const id of ['n4', 'n5']) await t.join(id)
    const rest = t.ids.filter((id) => id !== away && !['n4', 'n5'].includes(id))
    await t.settle(leader.changeMembership({ add: at('n4', 'n5') }))
    await t.settle(leader.changeMembership({ remove: rest }, { timeout: 20_000 }))
    const next = await t.leader({ among: ['n4', 'n5'] })
    for (const id of rest) await t.crash(id)
    const proposed = next.propose('with the one that was away', { timeout: 20_000 })
    await t.restart(away)
    await t.settle(proposed)
    await t.until(() => t.node(away).status().voters.includes('n5'), 5000)
    expect(await t.settle(items(t.node(away)))).toEqual(['with the one that was away'])
    await t.close()
  })
})

describe('one change at a time', () => {
  test('two at once: the second waits for the first, and both are done', async () => {
    const t = await start()
    const leader = await t.leader()
    for (const id of ['n4', 'n5']) await t.join(id)
    const changes = [
      leader.changeMembership({ add: at('n4') }),
      t.node(t.except(leader)[0] ?? '').changeMembership({ add: at('n5') }),
    ]
    await t.settle(Promise.all(changes))
    const { membership } = await t.settle(leader.membership())
    expect([...membership.voters].sort()).toEqual(['n1', 'n2', 'n3', 'n4', 'n5'])
    await t.close()
  })

  test('with ifIndex a change made for another configuration is refused', async () => {
    const t = await start()
    const leader = await t.leader()
    await t.settle(leader.ready())
    const { index } = await t.settle(leader.membership())
    await t.settle(leader.changeMembership({ demote: [t.except(leader)[0] ?? ''] }, { ifIndex: index }))
    const late = await t.settle(errorOf(leader.changeMembership({ remove: ['n1'] }, { ifIndex: index })))
    expect(late).toMatchObject({ code: 'CONFLICT', outcome: 'not-applied' })
    await t.close()
  })

  test('a server that never catches up is taken out again, and the refusal says that nothing has changed', async () => {
    const t = await start()
    const leader = await t.leader()
    await t.settle(leader.ready())
    const before = leader.status().voters
    await t.join('n4')
    const refused = errorOf(leader.changeMembership({ add: at('n4') }, { timeout: 3000 }))
    await t.until(() => leader.status().learners.length === 1, 1000)
    t.isolate('n4')
    expect(await t.settle(refused)).toMatchObject({ code: 'NOT_CAUGHT_UP', outcome: 'not-applied' })
    expect(leader.status()).toMatchObject({ voters: before, learners: [] })
    await t.close()
  })

  test('who does not answer, or is somebody else, is not added', async () => {
    const t = await start()
    const leader = await t.leader()
    const nobody = await t.settle(errorOf(leader.changeMembership({ add: at('n9') })))
    expect(nobody).toMatchObject({ code: 'UNKNOWN_NODE', outcome: 'not-applied' })
    await t.join('n4')
    const other = await t.settle(errorOf(leader.changeMembership({ add: { n9: 'memory://n4' } })))
    expect(other).toMatchObject({ code: 'UNKNOWN_NODE' })
    expect(String(other)).toContain('n4 answers')
    await t.close()
  })

  test('nonsense is refused with the value', async () => {
    const t = await start()
    const leader = await t.leader()
    for (const [change, words] of [
      [{ remove: ['n1', 'n2', 'n3'] }, 'nobody would be left'],
      [{ promote: ['n7'] }, 'n7 is no member'],
      [{ remove: ['n1'], demote: ['n1'] }, 'named twice'],
      [{ add: { 'n 4': 'x' } }, 'not n 4'],
      [{ delete: ['n1'] }, "no 'delete'"],
    ] as const) {
      const error = await t.settle(errorOf(leader.changeMembership(change as object)))
      expect(error).toMatchObject({ code: 'BAD_REQUEST', outcome: 'not-applied' })
      expect(String(error)).toContain(words)
    }
    await t.close()
  })
})

describe('disks and addresses', () => {
  test('a wiped server is removed and added again under its name, and the old one would be refused', async () => {
    const t = await start()
    const leader = await t.leader()
    await t.settle(leader.propose('kept'))
    const victim = t.except(leader)[0] ?? ''
    await t.crash(victim)
    const wiped = await t.join(victim)
    // Not before it was removed: the members remember who it was.
    await t.advance(2000)
    expect(wiped.status()).toMatchObject({ voters: [], commitIndex: 0 })
    await t.settle(leader.changeMembership({ remove: [victim] }))
    await t.settle(leader.changeMembership({ add: at(victim) }))
    expect(await t.settle(items(wiped))).toEqual(['kept'])
    await t.crash(victim)
    const again = await t.join(victim)
    await t.advance(2000)
    expect(again.status()).toMatchObject({ voters: [], commitIndex: 0 })
    await t.close()
  })

  test('a learner that restarts with or without join is the same, and goes on', async () => {
    const t = await start()
    const leader = await t.leader()
    await t.join('n4')
    await t.settle(leader.changeMembership({ addLearners: at('n4') }))
    await t.crash('n4')
    await t.settle(leader.propose('while it was away'))
    const n4 = await t.restart('n4')
    expect(await t.settle(items(n4))).toEqual(['while it was away'])
    await t.settle(leader.changeMembership({ promote: ['n4'] }))
    expect(leader.status().voters).toContain('n4')
    await t.close()
  })

  test('a server that moves keeps its name: it is found where it says it is, and the new address is put on record', async () => {
    const moved = { listen: 'memory://n3-new' }
    let away = false
    const t = await start({ options: (id) => (id === 'n3' && away ? moved : {}) })
    const leader = await t.leader({ among: ['n1', 'n2'] }).catch(() => t.leader())
    await t.settle(leader.propose('before'))
    await t.crash('n3')
    away = true
    const n3 = await t.restart('n3')
    expect(await t.settle(items(n3))).toEqual(['before'])
    const any = await t.leader()
    await t.settle(any.changeMembership({ addresses: { n3: 'memory://n3-new' } }))
    expect(any.status().addresses).toMatchObject({ n3: ['memory://n3-new'] })
    await t.close()
  })
})

describe('operators', () => {
  test('a client changes the cluster only in the role of an admin', async () => {
    const t = await start()
    const leader = await t.leader()
    const client = await t.client()
    const to = t.except(leader)[0] ?? ''
    for (const refused of [client.changeMembership({ remove: [to] }), client.transferLeadership(to)])
      expect(await t.settle(errorOf(refused))).toMatchObject({ code: 'UNAUTHORISED', outcome: 'not-applied' })
    const admin = await t.client({ role: 'admin' })
    expect(await t.settle(admin.transferLeadership(to))).toMatchObject({ leader: to })
    expect((await t.settle(admin.membership())).membership.voters).toEqual(['n1', 'n2', 'n3'])
    await t.close()
  })

  test('leadership goes to whoever is best when nobody is named, and stepDown does not wait for a successor', async () => {
    const t = await start()
    const old = await t.leader()
    const { leader } = await t.settle(old.transferLeadership())
    expect(leader).not.toBe(old.id)
    const next = await t.leader()
    t.isolate(...t.except(next))
    await t.settle(next.stepDown({ timeout: 2000 }))
    expect(next.status().role).toBe('follower')
    await t.close()
  })

  test('a hand-over to one that cannot take it is told as such, and the leader goes on, also while it is asked again', async () => {
    const t = await start()
    const leader = await t.leader()
    const to = t.except(leader)[0] ?? ''
    await t.crash(to)
    const handOver = errorOf(leader.transferLeadership(to, { timeout: 5000 }))
    await t.advance(1000)
    await t.settle(leader.propose('goes on', { timeout: 700 }))
    expect(await t.settle(handOver)).toMatchObject({
      code: 'NOT_TRANSFERRED',
      outcome: 'not-applied',
      message: expect.stringMatching(/nothing was heard of n\d .*asked \d+ times within 5000 ms/) as string,
    })
    expect(leader.status().role).toBe('leader')
    await t.close()
  })

  test('a successor that is away for longer than a leader waits takes over when it is back, and the call resolves', async () => {
    const t = await start()
    const leader = await t.leader()
    const to = t.except(leader)[0] ?? ''
    t.isolate(to)
    const handOver = leader.transferLeadership(to, { timeout: 10_000 })
    await t.advance(2000)
    expect(leader.status().role).toBe('leader')
    t.heal()
    expect(await t.settle(handOver)).toMatchObject({ leader: to })
    await t.close()
  })
})

import type { TraceEvent } from '@lab/rpc'
import { expect, test } from 'vitest'
import { appender, type Appender } from './appender.ts'
import { startChecked } from './checked-cluster.ts'

/** From an event back to what began it all: by its cause, and from an arrival to the sending. */
function chain(trace: readonly TraceEvent[], from: TraceEvent | undefined): string[] {
  const words: string[] = []
  for (let event = from; event !== undefined && words.length < 50;) {
    const { n, k, c, m } = event
    words.push(`${n} ${k} ${[event['role'], event['type'], event['op'], event['what']].join('')}`.trim())
    event = k === 'recv' ? trace.find((one) => one.k === 'send' && one.m === m) : trace[(c ?? 0) - 1]
  }
  return words
}

test('every message and role is traced with what it came of, back to the timer that began it', async () => {
  const t = await startChecked({ seed: 7 })
  await t.leader()
  const elected = t.trace.find(({ k, role }) => k === 'role' && role === 'leader')
  const words = chain(t.trace, elected)
  const leader = elected?.n ?? ''
  expect(words.at(0)).toBe(`${leader} role leader`)
  expect(words.at(-1)).toBe(`${leader} timer deadline`)
  for (const step of ['recv RequestVoteReply', 'send RequestVote'])
    expect(words.some((word) => word.includes(step))).toBe(true)
  // PreVote first (thesis §9.6): there and back, twice.
  expect(words.filter((word) => word.endsWith('recv RequestVote'))).toHaveLength(2)
  await t.close()
})

test('a proposal is traced from its call to its return, through the messages that committed it', async () => {
  const t = await startChecked<Appender>({ seed: 8, stateMachine: appender })
  const leader = await t.leader()
  // The first ones may wait for the leader to learn what its followers have.
  for (const word of ['v', 'w', 'x']) await t.settle(leader.propose(word))
  const answered = t.trace.findLast(({ k, outcome }) => k === 'return' && outcome === 'ok')
  expect(answered).toMatchObject({ n: leader.id, index: expect.any(Number) as number, term: 1 })
  expect(t.trace[(answered?.c ?? 0) - 1]).toMatchObject({ k: 'apply', index: answered?.['index'] })
  const commit = t.trace.find(
    ({ n, k, index }) => n === leader.id && k === 'commit' && index === answered?.['index'],
  )
  const words = chain(t.trace, commit)
  expect(words).toContain(`${leader.id} recv AppendEntriesReply`)
  expect(words).toContain(`${leader.id} send AppendEntries`)
  expect(words.at(-1)).toBe(`${leader.id} call propose`)
  await t.close()
})

test('a traced cluster and one that nobody traces do the same: the trace only looks', async () => {
  const logs = []
  for (const options of [{}, { trace: () => 0 }]) {
    const t = await startChecked<Appender>({ seed: 9, stateMachine: appender, options })
    const leader = await t.leader()
    for (const word of ['a', 'b', 'c']) await t.settle(leader.propose(word))
    logs.push([leader.id, leader.status().term, leader.status().lastIndex, t.clock.now()])
    await t.close()
  }
  expect(logs[1]).toEqual(logs[0])
})

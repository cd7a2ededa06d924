import type { TraceEvent } from '@lab/rpc'
import { expect, test } from 'vitest'
import { TraceStats, columns, describe as inWords, type TimedEvent } from '../src/index.ts'

const at = (i: number, n: string, k: TraceEvent['k'], rest: object): TimedEvent => ({
  time: i * 1000,
  life: 1,
  event: { i, t: i * 1000, n, k, ...rest },
})

test('a process of many groups has one column, in which every event says for which group it is', async () => {
  const events = [
    at(1, 'm1', 'role', { g: 100, role: 'leader', term: 1 }),
    at(2, 'm1', 'shard', { g: 101, what: 'frozen', shard: 7, num: 3, to: 102 }),
  ]
  const lines: string[] = []
  const source = (async function* () {
    for (const event of events) yield await Promise.resolve(event)
  })()
  for await (const line of columns(source, { nodes: ['m1'], width: 100 })) lines.push(line)
  expect(lines[1]).toContain('100: leader, term 1')
  expect(lines[2]).toContain('101: shard 7 frozen for group 102, configuration 3')
})

test('the time from append to commit is told of each group, whose indexes are its own', () => {
  const stats = new TraceStats()
  for (const g of [100, 101]) stats.feed(at(g, 'm1', 'role', { g, role: 'leader', term: 1 }))
  for (const g of [100, 101]) stats.feed(at(200, 'm1', 'append', { g, first: 1, last: 1, term: 1 }))
  stats.feed(at(210, 'm1', 'commit', { g: 100, index: 1 }))
  stats.feed(at(250, 'm1', 'commit', { g: 101, index: 1 }))
  const { commitMs, elections } = stats.summary()
  expect(commitMs.count).toBe(2)
  expect(commitMs.max).toBe(50)
  expect(elections.map(({ group }) => group)).toEqual([100, 101])
})

test('what a group does with a shard is told in words', () => {
  const { event } = at(1, 'm1', 'shard', {
    g: 1,
    what: 'refused',
    shard: 7,
    num: 3,
    why: 'another page is waited for',
  })
  expect(inWords(event)).toBe('refused for shard 7: another page is waited for')
})

import { expect, test } from 'vitest'
import fc from 'fast-check'
import { columns, describe, mergeTraces, readTrace, TraceError } from '../src/index.ts'

const header = (start: number, node = 'n1'): string =>
  JSON.stringify({ v: 1, what: 'test', start, nodes: [node] })
const event = (t: number, n: string, k: string, rest: object = {}): string =>
  JSON.stringify({ i: 1, t, n, k, ...rest })

test('files of several processes become one story, by the start in their headers', async () => {
  const n1 = await open([header(1000, 'n1'), event(0, 'n1', 'start'), event(5000, 'n1', 'stop')])
  const n2 = await open([header(1002, 'n2'), event(0, 'n2', 'start'), event(2000, 'n2', 'stop')])
  const story = await all(mergeTraces([n1, n2]))
  expect(story.map(({ event }) => `${event.n} ${event.k}`)).toEqual([
    'n1 start',
    'n2 start',
    'n2 stop',
    'n1 stop',
  ])
})

test('no message arrives before it was sent, however far the clocks of its ends are apart', async () => {
  const sender = await open([
    header(1000, 'n1'),
    event(50_000, 'n1', 'send', { to: 'n2', m: 'a>1', i: 1 }),
    event(60_000, 'n1', 'stop', { i: 2 }),
  ])
  const receiver = await open([
    header(1000, 'n2'),
    event(1000, 'n2', 'start', { i: 1 }),
    event(10_000, 'n2', 'recv', { from: 'n1', m: 'a>1', i: 2 }),
    event(11_000, 'n2', 'role', { i: 3, c: 2 }),
    event(12_000, 'n2', 'recv', { from: 'c1', m: 'b>1', i: 4 }),
  ])
  const first = await open([header(0, 'n3'), event(0, 'n3', 'start', { i: 1 })])
  const story = await all(mergeTraces([first, sender, receiver]))
  const words = story.map(({ event: { n, k, i, c } }) => `${i} ${n} ${k}${c === undefined ? '' : ` by ${c}`}`)
  expect(words).toEqual([
    '1 n3 start',
    '2 n2 start',
    '3 n1 send',
    '4 n2 recv',
    '5 n2 role by 4',
    '6 n2 recv',
    '7 n1 stop',
  ])
})

test('the numbers of a process that was started again go on where its life before ended', async () => {
  const again = await open([
    header(1000),
    event(0, 'n1', 'start', { i: 1 }),
    event(1, 'n1', 'role', { i: 2, c: 1 }),
    header(2000),
    event(0, 'n1', 'start', { i: 1 }),
    event(1, 'n1', 'role', { i: 2, c: 1 }),
  ])
  const story = await all(mergeTraces([again]))
  expect(story.map(({ event: { i, c } }) => [i, c])).toEqual([
    [1, undefined],
    [2, 1],
    [3, undefined],
    [4, 3],
  ])
})

test('a process that was killed and started again goes on in its file, after half a line', async () => {
  const { events } = await open([
    header(1000),
    event(0, 'n1', 'start'),
    '{"i":2,"t":7,"n":"n1","k":"ro',
    header(2000),
    event(1, 'n1', 'start'),
  ])
  expect((await all(events)).map(({ time }) => time)).toEqual([1_000_000, 2_000_001])
})

test('half a line at the end is forgiven: the process was killed', async () => {
  const { events } = await open([header(0), event(0, 'n1', 'start'), '{"i":2,"t'])
  expect(await all(events)).toHaveLength(1)
})

test('a damaged line in the middle is an error that names file and line', async () => {
  const { events } = await open([header(0), event(0, 'n1', 'start'), '{"i":2', event(1, 'n1', 'stop')])
  await expect(all(events)).rejects.toThrow('some.jsonl, line 3 is not a JSON object')
})

test('what is no trace, or one of a newer version, is refused by name', async () => {
  await expect(open(['hello'])).rejects.toThrow(TraceError)
  await expect(open([])).rejects.toThrow('some.jsonl holds no trace')
  await expect(open([event(0, 'n1', 'start')])).rejects.toThrow('before any header')
  await expect(open(['{"v":2,"what":"","start":0}'])).rejects.toThrow('version 2')
})

test('however the bytes are cut, the events are the same', async () => {
  const lines = [header(5, 'ñ'), event(1, 'ñ', 'note', { topic: '→', text: '🐋' }), event(2, 'ñ', 'stop')]
  const expected = await all((await open(lines)).events)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => {
      expect(await all((await open(lines, size)).events)).toEqual(expected)
    }),
  )
})

test('each node has its column; what happens to the world has the whole line', async () => {
  const { events } = await open([
    header(0),
    event(0, 'n1', 'role', { role: 'leader', term: 2, why: 'won' }),
    event(1500, 'n2', 'role', { role: 'follower', term: 2, leader: 'n1' }),
    event(2_000_000, '', 'fault', { what: 'SIGKILL n1' }),
  ])
  expect(await all(columns(events, { nodes: ['n1', 'n2'], width: 66 }))).toEqual([
    '      #    seconds │ n1                    │ n2',
    '      1     0.0000 │ leader, term 2: won   │',
    '      1     0.0015 │                       │ follower of n1, term',
    '                   │                       │ 2',
    '      1     2.0000 ── SIGKILL n1 ─────────────────────────────────',
  ])
})

test('text that is wider than its column goes on in the next line, and nothing is cut off', async () => {
  const { events } = await open([header(0), event(0, 'n1', 'stop', { why: 'a b c d '.repeat(10).trim() })])
  const lines = await all(columns(events, { nodes: ['n1'], width: 40 }))
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(40)
  expect(lines.join(' ').match(/[abcd](?= |$)/g)).toHaveLength(40)
})

test('control characters of a file never reach the terminal', () => {
  const text = describe({ i: 1, t: 0, n: 'n1', k: 'note', topic: 'x', text: '\u001b[2Jgone\u0007' })
  expect(text).toBe('x: �[2Jgone�')
})

async function open(lines: readonly string[], chunkSize = Infinity): ReturnType<typeof readTrace> {
  return readTrace(chunked(new TextEncoder().encode(lines.join('\n')), chunkSize), 'some.jsonl')
}

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

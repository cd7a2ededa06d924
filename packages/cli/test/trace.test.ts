import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { lab } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

const lines = (...events: readonly object[]): string =>
  [
    { v: 1, what: 'a test', start: 0, nodes: ['n1', 'n2'] },
    ...events.map((event, at) => ({ i: at + 1, t: at * 1000, ...event })),
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('')

const good = lines({ n: 'n1', k: 'role', role: 'leader', term: 1, why: 'a majority voted for it' })
const bad = lines(
  { n: 'n1', k: 'role', role: 'leader', term: 1 },
  { n: 'n2', k: 'role', role: 'leader', term: 1 },
)

test('check says of a good trace that no rule is broken, and exits 0', async () => {
  const ran = await lab(['trace', 'check', '-'], { input: good })
  expect(ran).toMatchObject({ code: 0, out: '', talk: '1 events, no rule broken' })
})

test('check names event, rule and section of a broken one, and exits 1', async () => {
  const ran = await lab(['trace', 'check', '-'], { input: bad })
  expect(ran.code).toBe(1)
  expect(ran.out).toBe(
    'event 2: n1 and n2 both lead in term 1\n  the rule: at most one leader is elected in a term (§5.2, Figure 3)\n',
  )
  expect(ran.talk).toMatch(
    /^lab: 1 of \d+ rules broken in 2 events; how it came to the first: lab trace explain 2 -$/,
  )
})

test('check tells programs the same as JSON', async () => {
  const { out } = await lab(['trace', 'check', '-', '-o', 'jsonl'], { input: bad })
  expect(JSON.parse(out)).toEqual({
    ...{ event: 2, node: 'n2', rule: 'electionSafety', section: '§5.2, Figure 3' },
    seen: 'n1 and n2 both lead in term 1',
  })
})

test('traces are read from files, gzipped or not, and from folders of both', async () => {
  const folder = join(temporaryFolder(), 'traces')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a.jsonl'), good)
  writeFileSync(join(folder, 'b.jsonl.gz'), gzipSync(bad))
  expect((await lab(['trace', 'check', join(folder, 'a.jsonl')])).code).toBe(0)
  expect((await lab(['trace', 'check', join(folder, 'b.jsonl.gz')])).code).toBe(1)
  expect((await lab(['trace', 'check', folder])).talk).toContain('in 3 events')
  writeFileSync(join(folder, 'c.jsonl.gz'), 'no gzip')
  expect((await lab(['trace', 'check', folder])).talk).toContain('incorrect header check')
  expect((await lab(['trace', 'check', join(folder, 'none.jsonl')])).code).toBe(2)
})

test('filter shows events by words, and says how many it hides; a mistake is shown in its place, with exit code 2', async () => {
  const ran = await lab(['trace', 'filter', 'node=n2', '-'], { input: bad })
  expect(ran).toMatchObject({
    code: 0,
    out: '      2     0.0010  n2   leader, term 1\n',
    talk: '1 events hidden',
  })
  const json = await lab(['trace', 'filter', 'node=n2', '-', '-o', 'jsonl'], { input: bad })
  expect(JSON.parse(json.out)).toMatchObject({ i: 2, n: 'n2', role: 'leader' })
  const wrong = await lab(['trace', 'filter', 'term>=x', '-'], { input: bad })
  expect(wrong.code).toBe(2)
  expect(wrong.talk).toBe('lab: term>= takes a number\n  term>=x\n        ^')
})

test('explain tells what an event came of, and exits 3 when there is none of that number', async () => {
  const chain = lines({ n: 'n1', k: 'timer' }, { n: 'n1', k: 'role', role: 'candidate', term: 1, c: 1 })
  const ran = await lab(['trace', 'explain', '2', '-'], { input: chain })
  expect(ran.out).toContain('n1 began to campaign in term 1.')
  expect(ran.out).toContain('because the timer of n1 rang')
  // A day of a cluster has millions.
  for (const none of ['7', '2000000'])
    expect((await lab(['trace', 'explain', none, '-'], { input: chain })).code).toBe(3)
})

test('stats prints numbers for people, and the same for programs', async () => {
  const table = await lab(['trace', 'stats', '-'], { input: good })
  expect(table.out).toContain('1 elections won of 0 campaigns, up to term 1')
  const { out } = await lab(['trace', 'stats', '-', '-o', 'json'], { input: good })
  expect(JSON.parse(out)).toMatchObject({ events: 1, elections: [{ node: 'n1', term: 1 }] })
})

test('cols takes the same filter, and is plain where no terminal is', async () => {
  const ran = await lab(['trace', 'cols', '-', '--filter', 'node=n1'], { input: bad })
  expect(ran.out.split('\n')[1]).toMatch(/^ {6}1 {5}0\.0000 │ leader, term 1 +│$/)
  expect(ran.talk).toBe('1 events hidden')
  const colored = await lab(['trace', 'cols', '-'], { input: bad, color: true })
  expect(colored.out).toContain('\u001b[32m')
})

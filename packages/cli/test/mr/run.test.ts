/** `lab mr run`, `cat`, and what is said when a job cannot be run. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { stripTypes } from '../../bin/strip-types.mjs'
import { lab, matching } from '../fake-io.ts'
import { app, folderWithInput, isGroupAlive, signalGroup, startLab } from './setting.ts'

const RUN = ['--input', 'in/*.txt', '--out', 'out', '--workers', '2']

test('a job in worker processes is done and said to be, and cat gives all results in the order of keys', async () => {
  const cwd = folderWithInput()
  const ran = await lab(['mr', 'run', app('words'), ...RUN, '--mode', 'cluster', '-o', 'json'], { cwd })
  expect(ran).toMatchObject({ code: 0, talk: '' })
  expect(JSON.parse(ran.out)).toMatchObject({
    job: 'words',
    output: 'out',
    parts: 4,
    records: 3,
    counters: { lines: 80 },
  })
  expect(await lab(['mr', 'cat', 'out'], { cwd })).toEqual({
    code: 0,
    talk: '',
    out: 'a\t40\nb\t40\nline\t80\n',
  })
  const asJson = await lab(['mr', 'cat', 'out', '-o', 'jsonl'], { cwd })
  expect(asJson.out.split('\n')[0]).toBe('{"key":"a","value":"40"}')
  expect(readdirSync(join(cwd, 'out')).filter((name) => !name.startsWith('part-'))).toEqual(['_SUCCESS.json'])

  const again = await lab(['mr', 'run', app('words'), ...RUN], { cwd })
  expect(again).toMatchObject({
    code: 2,
    talk: matching(/^lab: .*out holds the output of a job that is done/),
  })
  const forced = await lab(['mr', 'run', app('words'), ...RUN, '--force'], { cwd })
  expect(forced).toMatchObject({
    code: 0,
    out: matching(/^3 records in 4 parts of out, in .* s: npx lab mr cat out\n {2}lines = 80\n$/),
  })
})

test('a function that throws is told with the file, the byte, the record and the user’s own stack', async () => {
  const cwd = folderWithInput()
  const bad = ['mr', 'run', app('bad'), ...RUN, '--param', 'bad=b line 3', '--workers', '1']
  const { code, out, talk } = await lab(bad, { cwd })
  expect({ code, out }).toEqual({ code: 1, out: '' })
  const offset = readFileSync(join(cwd, 'in/b.txt'), 'utf8').indexOf('b line 3')
  expect(talk.split('\n')).toEqual([
    'lab: map task 1 threw: TypeError: cannot bear it',
    `  at byte ${String(offset)} of ${join(cwd, 'in/b.txt')}`,
    '  record: "b line 3"',
    matching(/^ {4}at .*bad\.ts:6:\d+\)$/),
    matching(/^ {2}attempt 2, on w[0-9a-f]{8}$/),
  ])
  expect(readdirSync(join(cwd, 'out'))).toEqual(['_attempt'])

  const skipping = await lab([...bad, '--skip', '10', '--out', 'skipped'], { cwd })
  expect(skipping).toMatchObject({ code: 0, out: matching(/6 bad records were left out/) })
})

test.each([
  ['a job that is not there', 'nothing.ts', RUN, /^lab: there is no file nothing\.ts$/],
  ['a job with a mistake in its syntax', 'syntax.ts', RUN, /^lab: cannot load .*syntax\.ts: /],
  ['a job that lacks a function', 'half.ts', RUN, /^lab: reduce of the job is missing$/],
  [
    'a job that imports what is not there',
    'import.ts',
    RUN,
    /^lab: cannot load .*import\.ts: Cannot find module '.*gone\.ts'/,
  ],
  [
    'input that is not there',
    app('words'),
    ['--input', 'no/*.txt', '--out', 'out'],
    /^lab: no file matches .*no\/\*\.txt$/,
  ],
  [
    'an output folder with something else in it',
    app('words'),
    ['--input', 'in/*', '--out', 'in'],
    /^lab: .*in is not empty: it holds a\.txt, b\.txt/,
  ],
])('%s ends with 2 before a task starts', async (_, job, flags, message) => {
  const cwd = folderWithInput(1)
  writeFileSync(join(cwd, 'syntax.ts'), 'export default {\n')
  writeFileSync(join(cwd, 'half.ts'), 'export default { map() {} }\n')
  writeFileSync(join(cwd, 'import.ts'), "import './gone.ts'\nexport default {}\n")
  expect(await lab(['mr', 'run', job, ...flags], { cwd })).toEqual({
    code: 2,
    out: '',
    talk: matching(message),
  })
})

test('a mistake in the syntax of a job is told with its place', () => {
  expect(() => stripTypes('const x: number = 1\nexport default {\n', '/jobs/job.ts')).toThrow(
    /^Unexpected token .*\n {2}at \/jobs\/job\.ts:2:17\n {2}export default \{$/,
  )
})

test('Ctrl-C ends a run and all its processes, and leaves no temporary file', async () => {
  const cwd = folderWithInput()
  const slow = ['mr', 'run', app('slow'), ...RUN, '--mode', 'cluster']
  const running = startLab([...slow, '--param', 'waitMs=60000'], cwd)
  await running.said(/^map 0\/2 · reduce 0\/4 · 0 % · 0\.0 MB\/s · (waiting for workers|[12] workers?)$/m)
  // As from a terminal: to workers, too.
  signalGroup(running, 'SIGINT')
  expect(await running.ended).toMatchObject({
    code: 130,
    out: '',
    talk: matching(/lab: the job was stopped before it was done\n$/),
  })
  expect(isGroupAlive(running)).toBe(false)
  expect({ out: readdirSync(join(cwd, 'out')), tmp: readdirSync(join(cwd, 'tmp')) }).toEqual({
    out: ['_attempt'],
    tmp: [],
  })
})

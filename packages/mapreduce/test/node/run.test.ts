/** Running jobs on this machine: all modes give the same, and what goes wrong is said so that it can be mended. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  JobError,
  defineJob,
  pipeline,
  resultsIn,
  run,
  testJob,
  type RunOptions,
  type Transition,
} from '@lab/mapreduce'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sequentially } from '../sim/sim-job.ts'
import wc from '../labs/apps/wc.ts'

const HOOKS = new URL('../../../../scripts/register-source.mjs', import.meta.url).href
const WC = new URL('../labs/apps/wc.ts', import.meta.url)
const BAD = new URL('apps/bad-jobs.ts', import.meta.url)

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-mr-test-'))
  mkdirSync(join(folder, 'in'))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function given(files: Readonly<Record<string, string>>): Record<string, string> {
  const paths = Object.fromEntries(
    Object.entries(files).map(([name, text]) => [join(folder, 'in', name), text]),
  )
  for (const [path, text] of Object.entries(paths)) writeFileSync(path, text)
  return paths
}

function options(more: Partial<RunOptions> = {}): RunOptions {
  return {
    input: join(folder, 'in', '*'),
    output: join(folder, 'out'),
    mode: 'local',
    workers: 2,
    execArgv: ['--import', HOOKS],
    ...more,
  }
}

async function linesOf(result: AsyncIterable<readonly [string, string]>): Promise<string> {
  let text = ''
  for await (const [key, value] of result) text += `${key}\t${value}\n`
  return text
}

async function failureOf(running: Promise<unknown>): Promise<JobError> {
  const error: unknown = await running.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof JobError)) throw new Error(`a JobError was expected: ${String(error)}`)
  return error
}

test('local and threads give, in the order of keys, what a sequential run gives', async () => {
  const input = given({ 'a.txt': 'b a c\nüber a\n', 'b.txt': 'a z\n', 'empty.txt': '' })
  for (const mode of ['local', 'threads'] as const) {
    const result = await run(
      mode === 'local' ? wc : WC,
      options({ mode, output: join(folder, mode), reducers: 3 }),
    )
    expect(await linesOf(result)).toBe(sequentially(wc, input))
    expect(await linesOf(await resultsIn(join(folder, mode)))).toBe(sequentially(wc, input))
    expect(readdirSync(join(folder, mode)).sort()).toEqual([
      '_SUCCESS.json',
      'part-00000',
      'part-00001',
      'part-00002',
    ])
  }
})

test('a local run cuts even one small file in two, for what a job wrongly keeps between records to show', async () => {
  given({ 'a.txt': 'x\n'.repeat(100) })
  const tasks = new Set<number>()
  const job = defineJob({
    map(line: string, emit, { task }) {
      tasks.add(task)
      emit(line, 1)
    },
    reduce: (key, values, emit) => emit(key, [...values].length),
  })
  expect(await linesOf(await run(job, options()))).toBe('x\t100\n')
  expect(tasks).toEqual(new Set([0, 1]))
})

test('side files, counters and skipped records are those of committed attempts, each once', async () => {
  given({ 'a.txt': 'good\nbad\ngood\n' })
  const job = defineJob({
    map(line: string, emit, context) {
      context.counter('seen').add()
      emit(line, 1)
      if (line === 'bad') throw new Error('cannot bear it')
    },
    reduce(key, values, emit, context) {
      context.sideFile('notes').write(`${key}!\n`)
      emit(key, [...values].length)
    },
  })
  const result = await run(job, options({ skipMax: 1, reducers: 1 }))
  expect(await linesOf(result)).toBe('good\t2\n')
  expect(result.manifest.counters).toEqual({ seen: 2 })
  expect(result.manifest.skipped).toEqual([{ file: join(folder, 'in', 'a.txt'), offset: 5, preview: 'bad' }])
  expect(readFileSync(join(folder, 'out', 'notes-00000'), 'utf8')).toBe('good!\n')
})

test('what a function throws comes with file, byte, record and the frames of the user alone', async () => {
  given({ 'a.txt': 'fine\nthrow now\n' })
  const error = await failureOf(run(BAD, options({ mode: 'threads' })))
  expect(error.code).toBe('TASK_FAILED')
  expect(error.message).toContain('cannot bear throw now')
  expect(error.message).toContain(`at byte 5 of ${join(folder, 'in', 'a.txt')}`)
  expect(error.message).toMatch(/bad-jobs\.ts:\d+/)
  expect(error.message).not.toContain('map-task')
  expect(existsSync(join(folder, 'out', '_SUCCESS.json'))).toBe(false)
})

for (const [word, says] of [
  ['hang', 'no record was finished for'],
  ['exit', 'ended with exit code 7'],
] as const) {
  test(`a function that would ${word} ends its attempt; the record that did it is skipped when that is allowed`, async () => {
    given({ 'a.txt': `fine\n${word} now\nfine\n` })
    const more = { mode: 'threads', hangMs: 400, reducers: 1, workers: 1 } as const
    const error = await failureOf(run(BAD, options({ ...more, attemptsMax: 2 })))
    expect(error.message).toContain(says)
    expect(error.message).toContain(`${word} now`)
    const result = await run(BAD, options({ ...more, skipMax: 1, output: join(folder, 'out2') }))
    expect(await linesOf(result)).toBe('fine\t2\n')
    expect(result.manifest.skipped.map(({ preview }) => preview)).toEqual([`${word} now`])
  })
}

test('of many short attempts that a thread was given at once, the one that ends it is to blame, and the others are made', async () => {
  const [before, after] = ['fine\n'.repeat(300), 'fine\n'.repeat(100)]
  given({ 'a.txt': `${before}exit now\n${after}` })
  const crashed = new Set<number>()
  const onTransition = ({ task, why }: Transition): void => {
    if (why.startsWith('crashed')) crashed.add(task)
  }
  const more = { mode: 'threads', reducers: 1, workers: 1, splitBytes: 5, skipMax: 1, onTransition } as const
  const result = await run(BAD, options(more))
  expect(await linesOf(result)).toBe('fine\t400\n')
  expect(result.manifest.skipped.map(({ preview }) => preview)).toEqual(['exit now'])
  expect(crashed.size).toBe(1)
})

test('a full folder, no input, no job: refused before a task starts', async () => {
  given({ 'a.txt': 'x\n' })
  mkdirSync(join(folder, 'out'))
  writeFileSync(join(folder, 'out', 'thesis.doc'), 'mine')
  expect((await failureOf(run(wc, options()))).code).toBe('BAD_OUTPUT')
  expect((await failureOf(run(wc, options({ input: join(folder, '*.csv') })))).code).toBe('BAD_INPUT')
  expect((await failureOf(run(join(folder, 'none.ts'), options()))).code).toBe('BAD_JOB')
  expect((await failureOf(run(wc, options({ mode: 'threads' })))).message).toContain('import.meta.url')
  await run(wc, options({ output: join(folder, 'done') }))
  expect((await failureOf(run(wc, options({ output: join(folder, 'done') })))).message).toContain('is done')
})

test('a pipeline gives the parts of one job to the next', async () => {
  given({ 'a.txt': 'a b a c a b\n' })
  const byCount = defineJob({
    map: (line: string, emit) => emit(line.split('\t')[1] ?? '', 1),
    reduce: (count, ones, emit) => emit(count, [...ones].length),
  })
  expect(await linesOf(await pipeline([wc, byCount], options()))).toBe('1\t1\n2\t1\n3\t1\n')
  expect(existsSync(join(folder, 'out.1', '_SUCCESS.json'))).toBe(true)
})

test('testJob shows what map and reduce make of a few records, combined in pairs', async () => {
  const job = defineJob({
    map(line: string, emit, context) {
      for (const word of line.split(' ')) emit(word, 1)
      context.counter('lines').add()
    },
    combine: (left: number, right: number) => left + right,
    reduce: (word, counts, emit) =>
      emit(
        word,
        [...counts].reduce((a, b) => a + b),
      ),
  })
  const { output, counters, mapped } = await testJob(job, ['to be', 'or not to be'])
  expect(output).toEqual([
    ['be', 2],
    ['not', 1],
    ['or', 1],
    ['to', 2],
  ])
  expect(counters).toEqual({ lines: 2 })
  expect(mapped).toHaveLength(6)
})

test('a cluster talks by what it was told: coordinator and workers, on this machine alone', async () => {
  given({ 'a.txt': 'b a c\n', 'b.txt': 'a z\n' })
  for (const [transport, scheme] of [
    ['tcp', 'tcp'],
    ['websocket', 'ws'],
  ] as const) {
    const addresses = new Set<string>()
    const look = (): void => {
      const attempts = join(folder, 'out', '_attempt')
      for (const name of ['endpoint.json', 'journal'])
        for (const [, address = ''] of readFileSync(join(attempts, name), 'utf8').matchAll(
          /"address": ?"([^"]*):\d+[^"]*"/g,
        ))
          addresses.add(address)
    }
    const settings = options({ mode: 'cluster', transport })
    await run(WC, { ...settings, onTransition: ({ to }) => (to === 'completed' ? look() : undefined) })
    expect([...addresses]).toEqual([`${scheme}://127.0.0.1`])
    rmSync(join(folder, 'out'), { recursive: true })
  }
})

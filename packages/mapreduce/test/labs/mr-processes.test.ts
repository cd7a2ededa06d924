/**
 * Lab 1's seven tests, with worker processes on sockets. The labs' waits of seconds are a tenth here: what is waited for is
 * watched, not the clock.
 */
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sequentially, sortedLines } from '../sim/sim-job.ts'
import wc from './apps/wc.ts'
import { LabFolder } from './processes.ts'

let lab: LabFolder
beforeEach(() => {
  lab = new LabFolder()
})
afterEach(() => {
  lab.remove()
})

test('wc (mr)', async () => {
  const result = await lab.run('wc', { workers: 3 })
  expect(lab.results()).toBe(sequentially(wc, lab.input))
  lab.passed('wc (mr)', result, 3)
})

test('indexer (mr)', async () => {
  const result = await lab.run('indexer', { workers: 2 })
  const index = new Map<string, Set<string>>()
  for (const [path, text] of Object.entries(lab.input))
    for (const word of text.match(/\p{L}+/gu) ?? [])
      index.set(word, (index.get(word) ?? new Set()).add(basename(path)))
  const lines = [...index].map(
    ([word, files]) => `${word}\t${String(files.size)} ${[...files].sort().join(',')}\n`,
  )
  expect(lab.results()).toBe(sortedLines(lines.join('')))
  lab.passed('indexer (mr)', result, 2)
})

test('map parallelism (mr)', async () => {
  const result = await lab.run('mtiming', { workers: 2, waitMs: 600, backups: false })
  const lines = lab.results().split('\n')
  expect(lines.filter((line) => line.startsWith('times-'))).toHaveLength(2)
  expect(lines.some((line) => /^parallel-.*\b2\b/.test(line.replace(/^parallel-\d+/, 'parallel-')))).toBe(
    true,
  )
  lab.passed('map parallelism (mr)', result, 2)
})

test('reduce parallelism (mr)', async () => {
  const result = await lab.run('rtiming', { workers: 2, waitMs: 400, backups: false })
  const twos = lab.results().match(/^[a-j]\t2$/gm) ?? []
  expect(twos.length).toBeGreaterThanOrEqual(2)
  lab.passed('reduce parallelism (mr)', result, 2)
})

test('job count (mr)', async () => {
  // A backup is a second run without a failure (MapReduce §3.6): the labs know no backups.
  const result = await lab.run('jobcount', { workers: 4, waitMs: 200, backups: false })
  expect(lab.results()).toBe('a\t8\n')
  lab.passed('job count (mr)', result, 4)
})

test('early exit (mr)', async () => {
  let atFirstExit: string | null = null
  let hadWorkers = 0
  const result = await lab.run('early-exit', {
    workers: 3,
    waitMs: 600,
    onProgress: ({ workers, state }) => {
      if (workers.length < hadWorkers && state === 'running')
        atFirstExit ??= 'a worker left before the job was done'
      hadWorkers = Math.max(hadWorkers, workers.length)
    },
  })
  const atOnce = lab.results()
  expect(atFirstExit).toBeNull()
  expect(atOnce).toBe(
    sortedLines(
      Object.keys(lab.input)
        .map((path) => `${path}\t1\n`)
        .join(''),
    ),
  )
  expect(readdirSync(lab.output).filter((name) => name.startsWith('part-'))).toHaveLength(10)
  lab.passed('early exit (mr)', result, 3)
})

test('crash (mr)', { timeout: 120_000 }, async () => {
  const result = await lab.run('crash', { workers: 3, waitMs: 500, leaseMs: 3_000 })
  const files = Object.keys(lab.input)
  const expected = [
    `a\t${[...files].sort().join(' ')}`,
    `b\t${files
      .map((path) => String(path.length))
      .sort()
      .join(' ')}`,
    `c\t${Object.values(lab.input)
      .map((text) => String(text.length))
      .sort()
      .join(' ')}`,
    `d\t${files.map(() => 'xyzzy').join(' ')}`,
  ]
  expect(lab.results()).toBe(expected.map((line) => `${line}\n`).join(''))
  lab.passed('crash (mr)', result, 3)
})

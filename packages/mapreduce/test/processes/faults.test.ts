/** What really goes wrong, on real processes: full disks, damaged files, races, functions that will not end, foreign builds. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostJob, run, runWorker, type HostedJob, type Transition } from '@lab/mapreduce'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sequentially } from '../sim/sim-job.ts'
import wc from '../labs/apps/wc.ts'
import { LabFolder } from '../labs/processes.ts'
import { hasOwnMounts, startWorker } from './worker.ts'

const BAD = new URL('../node/apps/bad-jobs.ts', import.meta.url)
const RACE = new URL('apps/race.ts', import.meta.url)

let lab: LabFolder
let host: HostedJob | undefined
beforeEach(() => {
  lab = new LabFolder()
})
afterEach(async () => {
  await host?.close()
  host = undefined
  lab.remove()
})

const whys = (kind: Transition['kind'], pattern: RegExp): string[] =>
  lab.transitions.filter((one) => one.kind === kind && pattern.test(one.why)).map(({ why }) => why)

test('a worker whose disk is full fails its tasks and says why, others make them, and the output is right', async (context) => {
  if (!hasOwnMounts()) context.skip('no file system of its own can be had for a process here')
  host = await hostJob(lab.app('wc'), lab.options({ attemptsMax: 1_000 }))
  const full = lab.folder('full')
  const first = startWorker(host, { folder: full, own: { at: full, size: '16k' } })
  const isFull = /^machine: DiskError: cannot (create|write) .*ENOSPC: no space left/
  await expect.poll(() => whys('map', isFull).length, { timeout: 30_000 }).toBeGreaterThan(0)
  expect(host.status().failures[0]?.text).toMatch(/^map task \d failed: DiskError: .*no space left/)
  const second = startWorker(host, { folder: lab.folder('spill') })
  await host.done
  await Promise.all([first.gone, second.gone])
  expect(lab.results()).toBe(sequentially(wc, lab.input))
})

test('workers that see neither input, output nor each other get and give all by TCP', async (context) => {
  if (!hasOwnMounts()) context.skip('no file system of its own can be had for a process here')
  host = await hostJob(new URL('apps/unhurried.ts', import.meta.url), lab.options({ waitMs: 250 }))
  const hosted = host
  const own = { at: lab.path, size: '8m' }
  const workers = [1, 2].map(() => startWorker(hosted, { folder: join(lab.path, 'mine'), own }))
  await host.done
  await Promise.all(workers.map(({ gone }) => gone))
  const by = new Set(lab.transitions.filter(({ to }) => to === 'completed').map(({ worker }) => worker))
  expect(by.size).toBe(2)
  expect(lab.results()).toBe(sequentially(wc, lab.input))
})

test('a damaged map output is made again, and never read', async () => {
  const spill = lab.folder('spill')
  let damaged = ''
  const onTransition = (transition: Transition): void => {
    lab.transitions.push(transition)
    const completed = new Set(
      lab.transitions.filter(({ kind, to }) => kind === 'map' && to === 'completed').map(({ task }) => task),
    )
    if (damaged !== '' || completed.size < 8) return
    const outputs = (readdirSync(spill, { recursive: true }) as string[]).filter((name) =>
      /map-\d+\.\d+\.w[0-9a-f]+$/.test(name),
    )
    damaged = join(spill, outputs.sort()[0] ?? '')
    const bytes = readFileSync(damaged)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0x10
    writeFileSync(damaged, bytes)
  }
  await lab.run('wc', { workers: 2, spillFolder: spill, onTransition, backups: false })
  const task = Number(/map-(\d+)/.exec(damaged)?.[1])
  const assigned = lab.transitions.filter(
    (one) => one.kind === 'map' && one.task === task && one.why === 'assigned',
  )
  expect(assigned.length).toBeGreaterThan(1)
  expect(lab.results()).toBe(sequentially(wc, lab.input))
})

test('a worker dies while others read its map outputs by TCP: they are made again', async () => {
  const [first, second] = [lab.folder('first'), lab.folder('second')]
  // As the first reduce begins, what it has yet to read is gone.
  const onTransition = (transition: Transition): void => {
    const isFirst = transition.kind === 'reduce' && lab.transitions.every(({ kind }) => kind === 'map')
    lab.transitions.push(transition)
    if (isFirst) dying.kill('SIGKILL')
  }
  host = await hostJob(lab.app('wc'), lab.options({ onTransition, splitBytes: 1 << 10 }))
  const dying = startWorker(host, { folder: second, streams: true })
  const isMade = (): boolean => lab.transitions.some(({ kind, to }) => kind === 'map' && to === 'completed')
  // Were the other one faster, nobody would miss who dies.
  await expect.poll(isMade, { timeout: 30_000 }).toBe(true)
  const staying = startWorker(host, { folder: first, streams: true })
  await host.done
  await Promise.all([staying.gone, dying.gone])
  const why = /^its output (went with|cannot be fetched from) /
  expect(whys('map', why).length).toBeGreaterThan(0)
  expect(lab.results()).toBe(sequentially(wc, lab.input))
})

test('of two attempts that end at the same moment one counts, and of the other nothing is left', async () => {
  const { manifest } = await run(RACE, lab.options({ workers: 2, reducers: 3 }))
  const ofFirst = lab.transitions.filter(({ kind, task }) => kind === 'reduce' && task === 0)
  expect(ofFirst.filter(({ why }) => why === 'backup task')).toHaveLength(1)
  expect(ofFirst.filter(({ to, attempt }) => to === 'completed' && attempt > 0)).not.toHaveLength(0)
  expect(manifest.counters['keys']).toBe(sequentially(wc, lab.input).split('\n').length - 1)
  expect(readdirSync(lab.output).sort()).toEqual(['_SUCCESS.json', 'part-00000', 'part-00001', 'part-00002'])
  expect(lab.results()).toBe(sequentially(wc, lab.input))
})

test('functions that throw, hang and exit in worker processes: each record is skipped, and the rest is counted', async () => {
  writeFileSync(join(lab.path, 'pg-bad.txt'), 'fine\nthrow now\nhang now\nexit now\nfine\n')
  const input = join(lab.path, 'pg-bad.txt')
  const result = await run(
    BAD,
    lab.options({ input, workers: 1, reducers: 1, hangMs: 400, skipMax: 3, attemptsMax: 9 }),
  )
  expect(lab.results()).toBe('fine\t2\n')
  expect(result.manifest.skipped.map(({ preview }) => preview).sort()).toEqual([
    'exit now',
    'hang now',
    'throw now',
  ])
})

test('a worker with another build of the module refuses to work', async () => {
  host = await hostJob(lab.app('wc'), lab.options())
  const { address: join, secret } = host
  await expect(runWorker({ join, secret, module: lab.app('indexer').pathname })).rejects.toMatchObject({
    code: 'OTHER_BUILD',
  })
})

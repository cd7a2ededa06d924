/** Lab 1's seven tests in virtual time: a few seeds, in the long tests 50. With real processes they stand beside. */
import { seededRandom } from '@lab/rpc'
import { expect, test } from 'vitest'
import { defineJob, type Job } from '@lab/mapreduce'
import { wordCount } from '../sim/jobs.ts'
import { SimCluster, type Made, type SimClusterOptions } from '../sim/sim-cluster.ts'
import { sequentially, simJob, sortedLines } from '../sim/sim-job.ts'
import { texts } from '../sim/texts.ts'

const SEEDS = process.env['LAB_LONG'] === '1' ? 50 : 3
const FIRST = Number(process.env['LAB_SEED'] ?? 1)
const [MAPS, REDUCES] = [8, 10]

/** mrapps/indexer: how many files hold a word, and which. */
const indexer = defineJob<string, string, string, string, string>({
  map(line, emit, { inputFile }) {
    for (const word of new Set(line.match(/\p{L}+/gu))) emit(word, inputFile)
  },
  reduce(word, files, emit) {
    const names = [...new Set(files)].sort()
    emit(word, `${String(names.length)} ${names.join(',')}`)
  },
})

interface Trial {
  readonly cluster: SimCluster
  /** What a sequential run gives. */
  readonly expected: string
}

function trial<V>(
  job: Job<string, string, V>,
  seed: number,
  more: Omit<SimClusterOptions, 'seed' | 'job'>,
): Trial {
  const input = texts(seededRandom(seed), MAPS, 6)
  const cluster = new SimCluster({ seed, job: simJob(job, input, { reduces: REDUCES }), ...more })
  return { cluster, expected: sequentially(job, input) }
}

async function finished({ cluster, expected }: Trial): Promise<readonly Made[]> {
  await cluster.finish()
  expect(sortedLines(await cluster.output())).toBe(expected)
  return cluster.made
}

async function overSeeds(body: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++)
    await body(seed).catch((cause: unknown) => {
      throw new Error(`seed ${String(seed)}: ${String(cause)}`, { cause })
    })
}

/** Do two machines make attempts of this kind at the same time? */
function isParallel(made: readonly Made[], kind: 'map' | 'reduce'): boolean {
  const ofKind = made.filter(({ work }) => work.kind === kind)
  return ofKind.some((a) =>
    ofKind.some((b) => a.machine !== b.machine && a.beganAt <= b.beganAt && b.beganAt < (a.endedAt ?? 0)),
  )
}

test('wc (mr): what three workers count is what a sequential run counts', () =>
  overSeeds(async (seed) => {
    await finished(trial(wordCount, seed, { workers: 3 }))
  }))

test('indexer (mr): two workers find the files that hold a word', () =>
  overSeeds(async (seed) => {
    await finished(trial(indexer, seed, { workers: 2 }))
  }))

for (const [title, kind] of [
  ['map parallelism (mr)', 'map'],
  ['reduce parallelism (mr)', 'reduce'],
] as const)
  test(`${title}: two workers run ${kind} tasks at the same time`, () =>
    overSeeds(async (seed) => {
      expect(isParallel(await finished(trial(wordCount, seed, { workers: 2 })), kind)).toBe(true)
    }))

test('job count (mr): each map runs once, whatever the order in which workers come', () =>
  overSeeds(async (seed) => {
    const made = await finished(trial(wordCount, seed, { workers: 4, schedule: { backups: false } }))
    expect(made.filter(({ work }) => work.kind === 'map')).toHaveLength(MAPS)
  }))

test('early exit (mr): nobody leaves before every reduce is final, some of which take long', () =>
  overSeeds(async (seed) => {
    const random = seededRandom(seed)
    const takesMs: (work: Made['work']) => number = ({ kind, attempt }) =>
      kind === 'reduce' && attempt.task % 4 === 0 ? 3_000 : random.integer(20, 200)
    const one = trial(wordCount, seed, { workers: 3, luck: { takesMs } })
    const { cluster } = one
    await cluster.world.run(() => cluster.firstExit !== null, 60_000)
    const names = await cluster.list('out')
    expect(names.filter((name) => name.startsWith('part-'))).toHaveLength(REDUCES)
    expect(names).toContain('_SUCCESS.json')
    await finished(one)
  }))

test('crash (mr): one attempt in three kills its worker, one in three is slow, and the output is whole', () =>
  overSeeds(async (seed) => {
    const random = seededRandom(seed)
    let deaths = 0
    const one: Trial = trial(wordCount, seed, {
      workers: 3,
      sharesFolders: seed % 2 === 0,
      luck: { takesMs: () => (random.next() < 0.5 ? random.integer(1_000, 5_000) : 100) },
      schedule: { attemptsMax: 50, lossesMax: 200 },
      onBegin(machine) {
        if (random.next() >= 1 / 3) return
        deaths++
        one.cluster.world.clock.setTimer(random.integer(0, 90), () => {
          one.cluster.kill(machine)
        })
      },
    })
    await finished(one)
    expect(deaths).toBeGreaterThan(0)
  }))

test('map outputs that others see outlive their worker: no map is made again for its death', () =>
  overSeeds(async (seed) => {
    const one = trial(wordCount, seed, {
      workers: 3,
      sharesFolders: true,
      luck: { takesMs: () => 300 },
      schedule: { backups: false },
    })
    const { cluster } = one
    await cluster.world.run(() => cluster.completed.size >= MAPS + 1, 60_000)
    cluster.kill('w1')
    cluster.kill('w2')
    const made = await finished(one)
    expect(made.filter(({ work }) => work.kind === 'map')).toHaveLength(MAPS)
  }))

/** Lab 1's seven tests in virtual time over 50 seeds, in the long tests 500. With real processes they stand beside. */
import { seededRandom } from '@lab/rpc'
import { expect, test } from 'vitest'
import { defineJob, type Job } from '@lab/mapreduce'
import { wordCount } from '../sim/jobs.ts'
import { SimCluster, type Made, type SimClusterOptions } from '../sim/sim-cluster.ts'
import { sequentially, simJob, sortedLines } from '../sim/sim-job.ts'
import { texts } from '../sim/texts.ts'

const SEEDS = process.env['LAB_LONG'] === '1' ? 500 : process.env['LAB_QUICK'] === '1' ? 3 : 50
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
  const input = texts(seededRandom(seed), MAPS, 3)
  // As in the labs every second cluster shares a folder; the others stream.
  const sharesFolders = seed % 2 === 0
  const cluster = new SimCluster({
    seed,
    job: simJob(job, input, { reduces: REDUCES }),
    sharesFolders,
    ...more,
  })
  return { cluster, expected: sequentially(job, input) }
}

async function finished({ cluster, expected }: Trial): Promise<readonly Made[]> {
  await cluster.finish()
  expect(sortedLines(await cluster.output())).toBe(expected)
  return cluster.made
}

async function overSeeds(body: (seed: number) => Promise<void>, count = SEEDS): Promise<void> {
  for (let seed = FIRST; seed < FIRST + count; seed++)
    await body(seed).catch((cause: unknown) => {
      throw new Error(`seed ${String(seed)}: ${String(cause)}`, { cause })
    })
}

const counted = new Map<number, Promise<readonly Made[]>>()

/** A word count by three workers, whose output is checked. One for each seed: several tests look at what was made. */
function countedWords(seed: number): Promise<readonly Made[]> {
  let made = counted.get(seed)
  if (made === undefined) {
    made = finished(trial(wordCount, seed, { workers: 3, schedule: { backups: false } }))
    counted.set(seed, made)
  }
  return made
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
    await countedWords(seed)
  }))

for (const [title, kind] of [
  ['map parallelism (mr)', 'map'],
  ['reduce parallelism (mr)', 'reduce'],
] as const)
  test(`${title}: workers run ${kind} tasks at the same time`, () =>
    overSeeds(async (seed) => {
      expect(isParallel(await countedWords(seed), kind)).toBe(true)
    }))

test('job count (mr): each map runs once, whatever the order in which workers come', () =>
  overSeeds(async (seed) => {
    expect((await countedWords(seed)).filter(({ work }) => work.kind === 'map')).toHaveLength(MAPS)
  }))

test('indexer and early exit (mr): nobody leaves before every reduce is final, some of which take long, and the files that hold a word are found', () =>
  overSeeds(async (seed) => {
    const random = seededRandom(seed)
    const takesMs: (work: Made['work']) => number = ({ kind, attempt }) =>
      kind === 'reduce' && attempt.task % 4 === 0 ? 3_000 : random.integer(20, 200)
    const one = trial(indexer, seed, { workers: 2, luck: { takesMs } })
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
  }, 3))

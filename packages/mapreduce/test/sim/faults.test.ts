/** A whole cluster in virtual time, under all that can befall it: the output is that of a sequential run, byte for byte. */
import { seededRandom } from '@lab/rpc'
import { expect, test } from 'vitest'
import type { Job } from '@lab/mapreduce'
import { SimCluster } from './sim-cluster.ts'
import { combined, listing, wordCount } from './jobs.ts'
import { sequentially, simJob, sortedLines, type SimJob } from './sim-job.ts'
import { texts } from './texts.ts'
import { Troubles } from './troubles.ts'

const SEEDS = 50
const FIRST = Number(process.env['LAB_SEED'] ?? 1)

test('in a quiet world every task is made once, and the output is that of a sequential run', async () => {
  const input = texts(seededRandom(7), 8, 30)
  const cluster = new SimCluster({ seed: 7, job: simJob(wordCount, input), workers: 3 })
  const { manifest } = await cluster.finish()
  expect(sortedLines(await cluster.output())).toBe(sequentially(wordCount, input))
  expect(cluster.made).toHaveLength(8 + 4)
  const lines = Object.values(input).join('').split('\n').length - 1
  expect(manifest.counters['lines']).toBe(lines)
  expect((await cluster.list('out')).filter((name) => name.startsWith('part'))).toEqual(
    manifest.parts.map(({ name }) => name),
  )
})

/** A job on this input, by R, with what must come of it. */
function trialOf<V>(
  job: Job<string, string, V>,
  input: Readonly<Record<string, string>>,
): (reduces: number) => { job: SimJob; expected: string } {
  return (reduces) => ({ job: simJob(job, input, { reduces }), expected: sequentially(job, input) })
}

test(`crashes, hangs, cuts, lost, late and repeated messages, restarts of the coordinator: ${String(SEEDS)} seeds`, async () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const random = seededRandom(seed)
    const input = texts(random, random.integer(1, 9), 20)
    const jobs = [trialOf(wordCount, input), trialOf(combined, input), trialOf(listing, input)]
    const { job, expected } =
      jobs[random.integer(0, 2)]?.(random.integer(1, 6)) ?? trialOf(wordCount, input)(1)
    const cluster = new SimCluster({
      seed,
      job,
      workers: random.integer(2, 4),
      slots: random.integer(1, 2),
      luck: { fails: 0.05, hangs: 0.03 },
      schedule: { attemptsMax: 50, lossesMax: 200 },
      sharesFolders: random.next() < 0.3,
    })
    const troubles = new Troubles(cluster, random)
    try {
      await troubles.run(20_000)
      const { manifest } = await cluster.finish()
      expect(sortedLines(await cluster.output())).toBe(expected)
      // Counters of attempts that were committed, each once, however many were made.
      const lines = Object.values(input).join('').split('\n').length - 1
      expect(manifest.counters['lines'] ?? 0).toBe(lines)
      expect(manifest.counters['words'] ?? 0).toBe(expected.split('\n').length - 1)
      expect(troubles.violations).toEqual([])
    } catch (error) {
      throw new Error(`seed ${String(seed)}: ${String(error)}\n${troubles.log.join('\n')}`, { cause: error })
    }
  }
})

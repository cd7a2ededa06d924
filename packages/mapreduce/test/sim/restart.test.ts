/** SIGKILL of the coordinator: at most a second is lost, and no task that was completed is made again. */
import { seededRandom } from '@lab/rpc'
import { expect, test } from 'vitest'
import { wordCount } from './jobs.ts'
import { sequentially, simJob, sortedLines } from './sim-job.ts'
import { RESTART_MS, SimCluster, type SimClusterOptions } from './sim-cluster.ts'
import { texts } from './texts.ts'

function cluster(
  seed: number,
  more: Partial<SimClusterOptions> = {},
): { cluster: SimCluster; input: Readonly<Record<string, string>> } {
  const input = texts(seededRandom(seed), 12, 20)
  const job = simJob(wordCount, input, { reduces: 6 })
  return { input, cluster: new SimCluster({ seed, job, workers: 3, luck: { takesMs: () => 300 }, ...more }) }
}

for (const kills of [1, 4]) {
  test(`killed ${String(kills)} times, the coordinator loses under a second each and has nothing done twice`, async () => {
    for (let seed = 1; seed <= 2; seed++) {
      const calm = cluster(seed).cluster
      await calm.finish()
      const calmMs = calm.world.now
      const { cluster: killed, input } = cluster(seed)
      for (let kill = 1; kill <= kills; kill++) {
        const completed = Math.floor((kill * 18) / (kills + 1))
        await killed.world.run(() => killed.completed.size >= completed, 60_000)
        // What was completed in this very moment may not have been journalled, nor its worker told.
        await killed.world.advance(20)
        killed.kill('coordinator')
      }
      await killed.finish()
      expect(killed.epochs).toBe(kills + 1)
      expect(sortedLines(await killed.output())).toBe(sequentially(wordCount, input))
      // An attempt of a task begins after its completion: that is what must not be.
      expect(killed.madeAgain).toEqual([])
      expect(killed.world.now - calmMs).toBeLessThan(kills * (RESTART_MS + 1_000))
    }
  })
}

test('what lost power forgot is made again, and the output is whole', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const { cluster: stricken, input } = cluster(seed)
    await stricken.world.run(() => stricken.completed.size >= 15, 60_000)
    stricken.world.machine('coordinator').crash()
    await stricken.finish()
    expect(sortedLines(await stricken.output())).toBe(sequentially(wordCount, input))
  }
})

test('when coordinator and workers die together, reduces that were completed stay, and maps are made again', async () => {
  const { cluster: stricken, input } = cluster(3)
  const reduces = (): number =>
    [...stricken.completed.keys()].filter((name) => name.startsWith('reduce')).length
  await stricken.world.run(() => reduces() >= 2, 60_000)
  const kept = [...stricken.completed.keys()].filter((name) => name.startsWith('reduce'))
  await stricken.world.advance(20)
  for (const { id } of stricken.world.machines) stricken.kill(id)
  await stricken.finish()
  expect(sortedLines(await stricken.output())).toBe(sequentially(wordCount, input))
  expect(stricken.madeAgain.filter((name) => kept.includes(name))).toEqual([])
})

test('outputs that others see are still found when their worker and the coordinator have died together: no map is made again', async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const { cluster: stricken, input } = cluster(seed, {
      sharesFolders: true,
      schedule: { backups: false },
      // Longer than a worker has to come back.
      luck: { takesMs: ({ kind }) => (kind === 'map' ? 300 : 2_000) },
    })
    await stricken.world.run(() => stricken.completed.size >= 13, 60_000)
    await stricken.world.advance(20)
    for (const { id } of stricken.world.machines) stricken.kill(id)
    await stricken.finish()
    expect(sortedLines(await stricken.output())).toBe(sequentially(wordCount, input))
    expect(stricken.made.filter(({ work }) => work.kind === 'map')).toHaveLength(12)
  }
})

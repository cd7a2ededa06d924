import type { StoragePlace } from '../storage-suite.ts'
import { seededRandom } from '@lab/rpc'
import { append, metaOf, openOn, restart, takeSnapshot, type StorageTest } from './kit.ts'
import { StorageModel, expectModel, expectRecovered, randomStep } from './model.ts'

const SEEDS = 8
const STEPS = 50

export const randomHistoryTests: readonly StorageTest[] = [
  {
    title: `${String(SEEDS)} random histories of ${String(STEPS)} steps end where a simple model ends`,
    async run(place: StoragePlace): Promise<void> {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = seededRandom(seed)
        const when = `seed ${String(seed)}`
        let { storage } = await openOn(place)
        // One place for all seeds: each history begins with a snapshot beyond the one before.
        const model = new StorageModel()
        const [index, term] = [seed * 10_000, seed * 100]
        await takeSnapshot(storage, metaOf(index, term))
        model.commit(index, term)
        model.hardState = { currentTerm: term, votedFor: '' }
        await append(storage, [], model.hardState)
        for (let count = 0; count < STEPS; count++) {
          const step = randomStep(model, random)
          await step.run(storage)
          step.apply(model)
          if (random.integer(0, 9) > 0) continue
          await expectModel(storage, model, `${when}, after ${step.what}`)
          storage = (await restart(place, storage)).storage
        }
        const last = await restart(place, storage)
        await expectModel(last.storage, model, when)
        expectRecovered(last.recovered, model, when)
        await last.storage.close()
      }
    },
  },
]

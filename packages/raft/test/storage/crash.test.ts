import fc from 'fast-check'
import { seededRandom, type Random } from '@lab/rpc'
import { describe, expect, test } from 'vitest'
import { StorageError, type Recovered, type Storage } from '../../src/storage.ts'
import { fileStorage } from '../../src/storage/file/index.ts'
import { OWNER } from '../../src/testing/storage/kit.ts'
import {
  StorageModel,
  expectModel,
  expectRecovered,
  randomStep,
  randomWrite,
  type Step,
} from '../../src/testing/storage/model.ts'
import { SimDisk } from '@lab/sim'

/** More by STORAGE_RUNS=3000. */
const CRASH_RUNS = Number(process.env['STORAGE_RUNS'] ?? 60)

/** A server's life on a bad disk, over many crashes. */
class Life {
  readonly disk: SimDisk
  readonly #random: Random
  /** What a start may find: everything acknowledged, with or without what was under way. */
  #possible: StorageModel[] = [new StorageModel()]

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.disk = new SimDisk({ random: this.#random })
  }

  /** Starts, works, and dies after `changes` changes of the disk. */
  async run(changes: number): Promise<void> {
    this.disk.changesUntilDeath = changes
    const storage = this.#storage()
    const recovered = await this.untilDeath(storage.open(OWNER))
    if (recovered !== 'dead') await this.#work(storage, await this.#look(storage, recovered))
    this.disk.crash()
  }

  /** Starts on a good disk and looks. What a start has shown must not change by the next. */
  async check(): Promise<void> {
    this.disk.changesUntilDeath = Infinity
    for (let count = 0; count < 2; count++) {
      const storage = this.#storage()
      const recovered = await storage.open(OWNER)
      expect(await this.#look(storage, recovered)).not.toBe('dead')
      this.disk.crash()
    }
  }

  async untilDeath<T>(work: Promise<T>): Promise<T | 'dead'> {
    work.catch(() => undefined)
    return Promise.race([work, this.disk.dead.then(() => 'dead' as const)])
  }

  async #work(storage: Storage, found: StorageModel | 'dead'): Promise<void> {
    if (found === 'dead') return
    let model = found
    for (;;) {
      const steps = this.#steps(model)
      // With two under way either may be done when the disk dies.
      this.#possible = [model, ...steps.map((step) => after(model, [step])), after(model, steps)]
      const done = await this.untilDeath(Promise.all(steps.map((step) => step.run(storage))))
      if (done === 'dead') return
      model = after(model, steps)
      this.#possible = [model]
    }
  }

  /** Mostly one thing at a time; sometimes what a driver does beside a write. */
  #steps(model: StorageModel): Step[] {
    if (this.#random.integer(0, 3) > 0) return [randomStep(model, this.#random)]
    const write = randomWrite(model, this.#random)
    const index = this.#random.integer(0, model.snapshotIndex)
    const compact: Step = {
      what: 'compact',
      run: (storage) => storage.compact(index),
      apply: () => undefined,
    }
    return [write, compact]
  }

  async #look(storage: Storage, recovered: Recovered): Promise<StorageModel | 'dead'> {
    const differences: unknown[] = []
    for (const model of this.#possible) {
      try {
        expectRecovered(recovered, model, 'found')
        const compared = await this.untilDeath(expectModel(storage, model, 'found'))
        if (compared === 'dead') return 'dead'
        this.#possible = [model]
        return model
      } catch (difference) {
        differences.push(difference)
      }
    }
    throw new AggregateError(differences, differences.map(String).join('\n'))
  }

  #storage(): Storage {
    return fileStorage('data', {
      disk: this.disk.process(),
      random: this.#random,
      segmentBytes: 4096,
      sparesMax: 2,
    })
  }
}

function after(model: StorageModel, steps: readonly Step[]): StorageModel {
  const next = model.copy()
  for (const step of steps) step.apply(next)
  return next
}

describe('fileStorage on a disk that loses un-synced sectors and tears the last write', () => {
  test(
    'a crash at any moment leaves what was acknowledged, and what was under way whole or not at all',
    { timeout: 600_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 2 ** 30 }),
          fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 8 }),
          async (seed, lives) => {
            const life = new Life(seed)
            for (const changes of lives) await life.run(changes)
            await life.check()
          },
        ),
        { numRuns: CRASH_RUNS },
      )
    },
  )

  test('what a process that has died still had to do does not reach the next (found by fast-check)', async () => {
    const life = new Life(521552068)
    for (const changes of [112, 12]) await life.run(changes)
    await life.check()
  })

  test('a folder whose making was cut short at any moment is made anew', async () => {
    for (let changes = 1; changes <= 40; changes++) {
      const life = new Life(changes)
      await life.run(changes)
      await life.check()
    }
  })
})

describe('fileStorage on a disk whose writes and syncs fail now and then (trap: a failed sync must not be retried)', () => {
  test('the first failure is the last write, and nothing acknowledged is lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
        const random = seededRandom(seed)
        const disk = new SimDisk({ random })
        const open = (): Storage => fileStorage('data', { disk: disk.process(), random, segmentBytes: 4096 })
        const storage = open()
        await storage.open(OWNER)
        disk.failureShare = 0.05
        let model = new StorageModel()
        for (;;) {
          const step = randomWrite(model, random)
          try {
            await step.run(storage)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(StorageError)
            expect(thrown).toMatchObject({ code: 'DISK_FAILED' })
            disk.failureShare = 0
            await expect(randomWrite(model, random).run(storage)).rejects.toBe(thrown)
            disk.crash()
            const again = open()
            await expectEither(await again.open(OWNER), again, [model, after(model, [step])])
            return
          }
          model = after(model, [step])
        }
      }),
      { numRuns: 100 },
    )
  })
})

describe('fileStorage on a full disk', () => {
  test('a write says DISK_FULL; once there is room the server starts with all that was acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 30 }), async (seed) => {
        const random = seededRandom(seed)
        const disk = new SimDisk({ random, capacityBytes: 30_000 })
        const open = (): Storage => fileStorage('data', { disk, random, segmentBytes: 4096 })
        const storage = open()
        await storage.open(OWNER)
        let model = new StorageModel()
        for (;;) {
          const step = randomWrite(model, random)
          try {
            await step.run(storage)
          } catch (thrown) {
            expect(thrown).toMatchObject({ code: 'DISK_FULL' })
            await storage.close()
            const stillFull = open()
            const refusal = await stillFull.open(OWNER).then(
              () => null,
              (error: unknown) => error,
            )
            if (refusal !== null) expect(refusal).toMatchObject({ code: 'DISK_FULL' })
            await stillFull.close()
            disk.capacityBytes = Infinity
            const again = open()
            const found = await expectEither(await again.open(OWNER), again, [model, after(model, [step])])
            const next = randomWrite(found, random)
            await next.run(again)
            await expectModel(again, after(found, [next]), 'goes on')
            return
          }
          model = after(model, [step])
        }
      }),
      { numRuns: 60 },
    )
  })
})

async function expectEither(
  recovered: Recovered,
  storage: Storage,
  models: readonly StorageModel[],
): Promise<StorageModel> {
  const differences: string[] = []
  for (const model of models) {
    try {
      expectRecovered(recovered, model, 'found')
      await expectModel(storage, model, 'found')
      return model
    } catch (difference) {
      differences.push(String(difference))
    }
  }
  throw new Error(differences.join('\n'))
}

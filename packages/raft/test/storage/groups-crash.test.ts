import fc from 'fast-check'
import { seededRandom, type Random } from '@lab/rpc'
import { SimDisk } from '@lab/sim'
import { expect, test } from 'vitest'
import type { HostStorage } from '../../src/host-storage.ts'
import type { Recovered, Storage } from '../../src/storage.ts'
import { fileHostStorage } from '../../src/storage/file/index.ts'
import { OWNER } from '../../src/testing/storage/kit.ts'
import { StorageModel, expectModel, expectRecovered, randomStep } from '../../src/testing/storage/model.ts'
import { inGroup } from './in-group.ts'

/** More by STORAGE_RUNS=3000. */
const RUNS = Number(process.env['STORAGE_RUNS'] ?? 15)
const GROUPS = [0, 1, 2, 3]
/** Groups that write seldom: their old entries are carried from segment to segment. */
const QUIET = new Set([2, 3])

interface Work {
  run(): Promise<unknown>
  readonly after: StorageModel
}

/** A process of several groups on a bad disk, over many crashes. */
class HostLife {
  readonly disk: SimDisk
  readonly #random: Random
  /** What a start may find of each group: everything acknowledged, with or without what was under way. */
  readonly #possible = new Map(GROUPS.map((group) => [group, [new StorageModel()]]))

  constructor(seed: number) {
    this.#random = seededRandom(seed)
    this.disk = new SimDisk({ random: this.#random })
  }

  /** Starts, works, and dies after `changes` changes of the disk. */
  async run(changes: number): Promise<void> {
    this.disk.changesUntilDeath = changes
    const host = this.#host()
    if ((await this.#untilDeath(host.open(OWNER))) !== 'dead' && (await this.#look(host)))
      await this.#work(host)
    this.disk.crash()
  }

  /** Starts on a good disk and looks. What a start has shown must not change by the next. */
  async check(): Promise<void> {
    for (let count = 0; count < 2; count++) {
      const host = this.#host()
      await host.open(OWNER)
      expect(await this.#look(host)).toBe(true)
      this.disk.crash()
    }
  }

  async #work(host: HostStorage): Promise<void> {
    for (;;) {
      const works = GROUPS.filter((group) => this.#random.integer(0, QUIET.has(group) ? 15 : 1) === 0).map(
        (group) => ({ group, work: this.#next(host, group) }),
      )
      for (const { group, work } of works) this.#possible.get(group)?.push(work.after)
      const done = await this.#untilDeath(Promise.all(works.map(({ work }) => work.run())))
      if (done === 'dead') return
      for (const { group, work } of works) this.#possible.set(group, [work.after])
    }
  }

  #next(host: HostStorage, group: number): Work {
    const model = this.#possible.get(group)?.[0] ?? new StorageModel()
    const storage = inGroup(host.group(group), group)
    if (this.#random.integer(0, 9) === 0)
      return { run: () => removed(host, storage, group), after: new StorageModel() }
    const step = randomStep(model, this.#random)
    const after = model.copy()
    step.apply(after)
    return { run: () => step.run(storage), after }
  }

  /** False when the disk died. */
  async #look(host: HostStorage): Promise<boolean> {
    for (const group of GROUPS) {
      const storage = inGroup(host.group(group), group)
      const recovered = await this.#untilDeath(storage.open(OWNER))
      if (recovered === 'dead' || !(await this.#matches(group, storage, recovered))) return false
    }
    return true
  }

  async #matches(group: number, storage: Storage, recovered: Recovered): Promise<boolean> {
    const differences: unknown[] = []
    for (const model of this.#possible.get(group) ?? []) {
      try {
        expectRecovered(recovered, model, `group ${String(group)}`)
        const compared = await this.#untilDeath(expectModel(storage, model, `group ${String(group)}`))
        if (compared === 'dead') return false
        this.#possible.set(group, [model])
        return true
      } catch (difference) {
        differences.push(difference)
      }
    }
    throw new AggregateError(differences, differences.map(String).join('\n'))
  }

  async #untilDeath<T>(work: Promise<T>): Promise<T | 'dead'> {
    work.catch(() => undefined)
    return Promise.race([work, this.disk.dead.then(() => 'dead' as const)])
  }

  #host(): HostStorage {
    const options = { random: this.#random, segmentBytes: 4096, sparesMax: 2 }
    return fileHostStorage('data', { ...options, disk: this.disk.process() })
  }
}

async function removed(host: HostStorage, storage: Storage, group: number): Promise<void> {
  await storage.close()
  await host.removeGroup(group)
  await storage.open(OWNER)
}

test(
  'a crash at any moment leaves to every group what it was told, and what was under way whole or not at all, while ' +
    'groups are removed and quiet ones carried along',
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }),
        async (seed, lives) => {
          const life = new HostLife(seed)
          for (const changes of lives) await life.run(changes)
          await life.check()
        },
      ),
      { numRuns: RUNS },
    )
  },
)

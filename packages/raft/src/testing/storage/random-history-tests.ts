import { seededRandom, type Random } from '@lab/rpc'
import type { Storage } from '../../storage.ts'
import type { HardState, Index, Term } from '../../types.ts'
import {
  append,
  entry,
  equal,
  logOf,
  metaOf,
  openOn,
  restart,
  snapshotOf,
  stateOf,
  takeSnapshot,
  type StorageTest,
} from './kit.ts'

const SEEDS = 10
const STEPS = 60

/** What a storage should hold, kept the simplest way there is. */
class Model {
  hardState: HardState = { currentTerm: 0, votedFor: '' }
  /** terms[i] is the term of the entry `start + 1 + i`. */
  terms: Term[] = []
  start: Index = 0
  snapshot: { readonly index: Index; readonly term: Term } | null = null

  get lastIndex(): Index {
    return this.start + this.terms.length
  }

  termAt(index: Index): Term | null {
    if (index === this.snapshot?.index && index <= this.start) return this.snapshot.term
    return this.terms[index - this.start - 1] ?? null
  }

  put(index: Index, term: Term): void {
    if (index <= this.start || this.termAt(index) === term) return
    this.terms.length = index - this.start - 1
    this.terms.push(term)
  }

  commit(index: Index, term: Term): void {
    if (index <= (this.snapshot?.index ?? 0)) return
    const isHeld = this.termAt(index) === term
    this.snapshot = { index, term }
    if (isHeld) return
    this.terms = []
    this.start = index
  }

  log(first: Index): string[] {
    return this.terms
      .map((term, i) => ({ index: this.start + 1 + i, term }))
      .filter(({ index }) => index >= first)
      .map(({ index, term }) => `${String(index)}@${String(term)}`)
  }
}

export const randomHistoryTests: readonly StorageTest[] = [
  {
    title: `${String(SEEDS)} random histories of ${String(STEPS)} steps end where a simple model ends`,
    async run(place) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        const random = seededRandom(seed)
        // One place for all seeds: each history begins with a snapshot beyond the one before.
        const base = seed * 10_000
        let { storage } = await openOn(place)
        const model = new Model()
        await takeSnapshot(storage, metaOf(base, seed * 100))
        model.commit(base, seed * 100)
        model.hardState = { currentTerm: seed * 100, votedFor: '' }
        await append(storage, [], model.hardState)
        for (let step = 0; step < STEPS; step++) {
          if (random.integer(0, 9) === 0) storage = (await restart(place, storage)).storage
          else await doStep(storage, model, random)
        }
        const last = await restart(place, storage)
        await compare(last.storage, model, `seed ${String(seed)}`)
        equal(last.recovered.hardState, model.hardState, `seed ${String(seed)}: hard state`)
        await last.storage.close()
      }
    },
  },
]

async function doStep(storage: Storage, model: Model, random: Random): Promise<void> {
  const dice = random.integer(0, 9)
  if (dice <= 6) await writeSome(storage, model, random)
  else if (dice === 7) {
    const index = random.integer(model.snapshot?.index ?? 1, model.lastIndex + 3)
    const term = model.termAt(index) ?? model.hardState.currentTerm
    await takeSnapshot(storage, metaOf(index, term))
    model.commit(index, term)
  } else if (dice === 8) await storage.compact(random.integer(0, model.snapshot?.index ?? 0))
  else await compare(storage, model, 'on the way')
}

async function writeSome(storage: Storage, model: Model, random: Random): Promise<void> {
  if (random.integer(0, 3) === 0)
    model.hardState = {
      currentTerm: model.hardState.currentTerm + 1,
      votedFor: random.integer(0, 1) === 0 ? '' : 'n2',
    }
  const from = Math.max((model.snapshot?.index ?? 0) + 1, model.start + 1)
  const first = random.integer(from, model.lastIndex + 1)
  const count = random.integer(0, 8)
  // Some of what is there again, then something new.
  const known = random.integer(0, count)
  const written = Array.from({ length: count }, (_, i) => {
    const term = (i < known ? model.termAt(first + i) : null) ?? model.hardState.currentTerm
    return { index: first + i, term }
  })
  await append(
    storage,
    written.map(({ index, term }) => entry(index, term, { bytes: (index * 53) % 700 })),
    model.hardState,
  )
  for (const { index, term } of written) model.put(index, term)
}

async function compare(storage: Storage, model: Model, when: string): Promise<void> {
  const first = (model.snapshot?.index ?? 0) + 1
  equal(await logOf(storage, first, model.lastIndex + 5), model.log(first), `${when}: log`)
  const { index, term } = model.snapshot ?? { index: 0, term: 0 }
  const snapshot = await snapshotOf(storage)
  equal(snapshot?.meta, metaOf(index, term), `${when}: snapshot`)
  equal(snapshot?.state, stateOf(index, 100), `${when}: state`)
}

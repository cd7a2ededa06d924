import type { Random } from '@lab/rpc'
import type { Recovered, Storage } from '../../storage.ts'
import type { HardState, Index, Term } from '../../types.ts'
import { append, entry, equal, logOf, metaOf, snapshotOf, stateOf, takeSnapshot } from './kit.ts'

/** What a storage should hold, kept the simplest way there is. */
export class StorageModel {
  hardState: HardState = { currentTerm: 0, votedFor: '' }
  /** terms[i] is the term of the entry `start + 1 + i`. */
  terms: Term[] = []
  start: Index = 0
  snapshot: { readonly index: Index; readonly term: Term } | null = null

  get lastIndex(): Index {
    return this.start + this.terms.length
  }

  get snapshotIndex(): Index {
    return this.snapshot?.index ?? 0
  }

  copy(): StorageModel {
    const copy = new StorageModel()
    copy.hardState = this.hardState
    copy.terms = [...this.terms]
    copy.start = this.start
    copy.snapshot = this.snapshot
    return copy
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
    if (index <= this.snapshotIndex) return
    const isHeld = this.termAt(index) === term
    this.snapshot = { index, term }
    if (isHeld) return
    this.terms = []
    this.start = index
  }

  /** `index@term` after the snapshot. */
  log(): string[] {
    return this.terms
      .map((term, i) => ({ index: this.start + 1 + i, term }))
      .filter(({ index }) => index > this.snapshotIndex)
      .map(({ index, term }) => `${String(index)}@${String(term)}`)
  }
}

/** Something done to a storage, and what it does to the model once it is durable. */
export interface Step {
  readonly what: string
  run(storage: Storage): Promise<void>
  apply(model: StorageModel): void
}

/** What a server might do next. */
export function randomStep(model: StorageModel, random: Random): Step {
  const dice = random.integer(0, 9)
  if (dice <= 6) return randomWrite(model, random)
  if (dice === 7) return randomSnapshot(model, random)
  const index = random.integer(0, model.snapshotIndex)
  return {
    what: `compact(${String(index)})`,
    run: (storage) => storage.compact(index),
    apply: () => undefined,
  }
}

/** Some entries that are there already, then new ones; perhaps a new term. */
export function randomWrite(model: StorageModel, random: Random): Step {
  const { currentTerm } = model.hardState
  const hardState =
    random.integer(0, 3) === 0
      ? { currentTerm: currentTerm + 1, votedFor: random.integer(0, 1) === 0 ? '' : 'n2' }
      : model.hardState
  const first = random.integer(Math.max(model.snapshotIndex, model.start) + 1, model.lastIndex + 1)
  const count = random.integer(0, 8)
  const known = random.integer(0, count)
  const written = Array.from({ length: count }, (_, i) => {
    const term = (i < known ? model.termAt(first + i) : null) ?? hardState.currentTerm
    return { index: first + i, term }
  })
  return {
    what: `write(${written.map(({ index, term }) => `${String(index)}@${String(term)}`).join(' ')})`,
    run: (storage) =>
      append(
        storage,
        written.map(({ index, term }) => entry(index, term, { bytes: (index * 53) % 700 })),
        hardState,
      ),
    apply: (target) => {
      target.hardState = hardState
      for (const { index, term } of written) target.put(index, term)
    },
  }
}

/** Of what the log holds, mostly; sometimes of what only a leader has. */
function randomSnapshot(model: StorageModel, random: Random): Step {
  const index = random.integer(model.snapshotIndex, model.lastIndex + 3)
  const term = model.termAt(index) ?? model.hardState.currentTerm
  return {
    what: `snapshot(${String(index)}@${String(term)})`,
    run: (storage) => takeSnapshot(storage, metaOf(index, term)),
    apply: (target) => {
      target.commit(index, term)
    },
  }
}

/** @throws when the storage holds something else than the model */
export async function expectModel(storage: Storage, model: StorageModel, when: string): Promise<void> {
  const first = model.snapshotIndex + 1
  equal(await logOf(storage, first, model.lastIndex + 5), model.log(), `${when}: log`)
  const snapshot = await snapshotOf(storage)
  if (model.snapshot === null) {
    equal(snapshot, null, `${when}: snapshot`)
    return
  }
  const { index, term } = model.snapshot
  equal(snapshot?.meta, metaOf(index, term), `${when}: snapshot`)
  equal(snapshot?.state, stateOf(index, 100), `${when}: state`)
}

/** @throws when a start found something else than the model */
export function expectRecovered(recovered: Recovered, model: StorageModel, when: string): void {
  equal(recovered.hardState, model.hardState, `${when}: hard state`)
  equal(recovered.lastIndex, model.lastIndex, `${when}: last index`)
  equal(recovered.firstIndex <= model.snapshotIndex + 1, true, `${when}: nothing missing after the snapshot`)
  for (const [i, { first, term }] of recovered.terms.entries()) {
    const end = recovered.terms[i + 1]?.first ?? recovered.lastIndex + 1
    for (let index = Math.max(first, model.snapshotIndex + 1); index < end; index++)
      equal(term, model.termAt(index), `${when}: term of entry ${String(index)}`)
  }
}

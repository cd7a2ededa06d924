/** What a store was like at each of its revisions, replayed from its changes: the one order that everything is held against. */
import { mustHold } from '@lab/sim'
import type { TextEntry, Told } from './every-op.ts'

export type Change = Omit<Told, 'at'>
export type Contents = ReadonlyMap<string, TextEntry>

export class Timeline {
  readonly changes: readonly Change[]
  /** By revision. */
  readonly #states: Contents[] = [new Map()]

  /** @param changes all of them, from revision 1 on */
  constructor(changes: readonly Change[]) {
    this.changes = changes
    for (const [at, change] of changes.entries()) {
      mustHold(
        change.revision === at + 1,
        `change ${String(at + 1)} has the revision ${String(change.revision)}`,
      )
      this.#states.push(after(this.at(at), change))
    }
  }

  /** The newest revision. */
  get last(): number {
    return this.changes.length
  }

  /** What there was once `revision` was done. */
  at(revision: number): Contents {
    const state = this.#states[revision]
    mustHold(
      state !== undefined,
      `somebody saw revision ${String(revision)}, and the last is ${String(this.last)}`,
    )
    return state ?? new Map()
  }

  /** The change that made `revision`. */
  change(revision: number): Change | undefined {
    return this.changes[revision - 1]
  }
}

function after(state: Contents, { type, key, value, version, revision }: Change): Contents {
  const next = new Map(state)
  const before = state.get(key)
  if (type === 'delete' || type === 'expire') {
    mustHold(before !== undefined, `revision ${String(revision)} ends ${key}, which was not there`)
    next.delete(key)
    return next
  }
  const expected = (before?.version ?? 0) + 1
  const seen = `revision ${String(revision)} makes version ${String(version)} of ${key}, after ${String(expected - 1)}`
  mustHold(version === expected, seen)
  next.set(key, {
    value: type === 'append' ? (before?.value ?? '') + value : value,
    version,
    changed: revision,
  })
  return next
}

/**
 * All records of one moment, drawn in the order of keys in slices while the table goes on changing. A record that has not
 * changed since the moment (`changed` tells) is drawn where it stands. One that is about to change, and is not drawn yet, is kept
 * here first, block and all: nothing is copied for the sake of the view but the 32 bytes of a record.
 *
 *     the table, what has changed since left out ─┐
 *                                                 ├─ merged by key ─▶ draw
 *     what was kept ──────────────────────────────┘
 */
import { assert } from '@lab/rpc'
import type { KeyOrder } from './key-order.ts'
import { OrderedIndex } from './ordered-index.ts'
import { NO_RECORD, type RecordNumber } from './records.ts'
import type { Table } from './table.ts'

/** Records that a slice looks at before it ends, drawn or not. */
const VISITS_MAX = 4096

export interface ViewOptions {
  readonly table: Table
  /** The store's revision at that moment. */
  readonly revision: number
  /** Only keys up to this one, of a store that is still being loaded: the rest comes later. Null: all. */
  readonly last: Uint8Array | null
  readonly order: KeyOrder
  readonly onEnd: () => void
  /** Gives back a record that was kept. */
  readonly forget: (record: RecordNumber) => void
}

export class View {
  readonly #options: ViewOptions
  /** Null while nothing is. */
  #kept: OrderedIndex | null = null
  /** Keys up to this one are drawn; null for none. */
  #drawn: Uint8Array | null = null
  #ended = false

  constructor(options: ViewOptions) {
    this.#options = options
  }

  /** Records kept that are not drawn yet. */
  get kept(): number {
    return this.#kept?.count ?? 0
  }

  /** Must the record be kept when it changes? */
  needs(record: RecordNumber): boolean {
    const { table, revision } = this.#options
    if (table.records.changed(record) > revision || this.#isBeyond(record)) return false
    return this.#drawn === null || !this.#isDrawn(record, this.#drawn)
  }

  /** Takes over a record that is in no index any more. */
  keep(record: RecordNumber): void {
    const { order, table } = this.#options
    const { records } = table
    order.seek(records.array(record), records.keyAt(record), records.keyLength(record))
    this.#kept ??= new OrderedIndex(order)
    this.#kept.add(record)
  }

  /**
   * Hands out some of the records that follow, in the order of keys, until `take` returns false or enough were passed over. What it
   * is given is good within the call.
   *
   * @returns false when all are drawn; the view has ended then
   */
  draw(take: (record: RecordNumber) => boolean): boolean {
    assert(!this.#ended, 'a snapshot is drawn until another one is begun')
    const { table, revision, forget } = this.#options
    const { records } = table
    let position = this.#drawn === null ? 0 : table.seek(followerOf(this.#drawn))
    for (let left = VISITS_MAX; ; left--) {
      const next = table.at(position)
      const live = next === NO_RECORD || this.#isBeyond(next) ? NO_RECORD : next
      const kept = this.#kept?.at(0) ?? NO_RECORD
      if (live === NO_RECORD && kept === NO_RECORD) {
        this.end()
        return false
      }
      if (kept !== NO_RECORD && this.#comesFirst(kept, live)) {
        const isLast = !take(kept) || left === 0
        if (isLast) this.#drawn = table.key(kept)
        this.#kept?.removeFirst()
        forget(kept)
        if (isLast) return true
      } else {
        const isOld = records.changed(live) <= revision
        if ((isOld && !take(live)) || left === 0) {
          this.#drawn = table.key(live)
          return true
        }
        position = table.after(position)
      }
    }
  }

  /** Draws no more. Idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.onEnd()
  }

  /** Gives back up to `count` of the records kept. @returns whether none is left */
  sweep(count: number): boolean {
    const kept = this.#kept
    for (let i = 0; i < count && kept !== null && kept.count > 0; i++)
      this.#options.forget(kept.removeFirst())
    return this.kept === 0
  }

  /** A key that was changed and is there still stands here and there: what was kept comes first. */
  #comesFirst(kept: RecordNumber, live: RecordNumber): boolean {
    if (live === NO_RECORD) return true
    const { order, table } = this.#options
    const { records } = table
    order.seek(records.array(kept), records.keyAt(kept), records.keyLength(kept))
    return order.compare(live) <= 0
  }

  #isBeyond(record: RecordNumber): boolean {
    const { last, order } = this.#options
    if (last === null) return false
    order.seek(last, 0, last.length)
    return order.compare(record) < 0
  }

  #isDrawn(record: RecordNumber, drawn: Uint8Array): boolean {
    const { order } = this.#options
    order.seek(drawn, 0, drawn.length)
    return order.compare(record) >= 0
  }
}

/** The first key after this one. */
function followerOf(key: Uint8Array): Uint8Array {
  const follower = new Uint8Array(key.length + 1)
  follower.set(key)
  return follower
}

/**
 * The watches of one server. What is applied is read out of the history once, in slices, and handed to the watches that have all
 * that came before; one that has not (it comes back, or its reader is slow) reads the history by itself until it has.
 */
import { assert, type Clock, type Milliseconds, type Timer } from '@lab/rpc'
import { ServerWatch } from './server-watch.ts'
import type { KvStore } from './store.ts'
import type { WatchRequest } from './watch-service.ts'

/** Changes that are handed on before others get a turn. */
const EVENTS_PER_TURN = 2048
/** How often a watch whose keys do not change is told how far the store is. */
const PROGRESS_MS: Milliseconds = 1000

export class WatchHub {
  readonly store: KvStore
  readonly #clock: Clock
  readonly #watches = new Set<ServerWatch>()
  /** The first revision that has not been handed on. */
  #next = 1
  #timer: Timer | null = null
  #isAsked = false

  constructor(store: KvStore, clock: Clock) {
    this.store = store
    this.#clock = clock
  }

  /** How many there are. */
  get size(): number {
    return this.#watches.size
  }

  /** @param first the first revision that it wants */
  open(range: Pick<WatchRequest, 'from' | 'to'>, first: number): ServerWatch {
    if (this.#watches.size === 0) this.#next = this.store.revision + 1
    const watch = new ServerWatch({
      ...{ store: this.store, from: range.from, to: range.to, first },
      reached: () => this.#next,
      onClose: () => {
        this.#watches.delete(watch)
      },
    })
    this.#watches.add(watch)
    this.#timer ??= this.#clock.setTimer(PROGRESS_MS, this.#tellProgress)
    return watch
  }

  /** Something was applied. Within the node's work: what is to be told is told after it. */
  changed(): void {
    if (this.#isAsked || this.#watches.size === 0) return
    this.#isAsked = true
    queueMicrotask(this.#handOn)
  }

  close(): void {
    for (const watch of [...this.#watches]) void watch.return()
    this.#timer?.cancel()
    this.#timer = null
  }

  readonly #handOn = (): void => {
    this.#isAsked = false
    const store = this.store
    // A snapshot has taken the place of what was here: each watch sees for itself what of the history is left.
    if (this.#next < store.firstRevision) this.#next = store.revision + 1
    else if (this.#next <= store.revision) this.#dispatch()
    for (const watch of this.#watches) watch.wake()
    if (this.#next > store.revision) return
    this.#isAsked = true
    this.#clock.setTimer(0, this.#handOn)
  }

  #dispatch(): void {
    let left = EVENTS_PER_TURN
    this.store.changes(this.#next, (bytes, start, end) => {
      const revision = this.#next++
      for (const watch of this.#watches) watch.offer(revision, bytes, start, end)
      return --left > 0
    })
    assert(left < EVENTS_PER_TURN, 'the history goes on to the revision of the store')
  }

  readonly #tellProgress = (): void => {
    this.#timer = null
    if (this.#watches.size === 0) return
    for (const watch of this.#watches) watch.tellProgress()
    this.#timer = this.#clock.setTimer(PROGRESS_MS, this.#tellProgress)
  }
}

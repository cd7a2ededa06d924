/**
 * Applies what is committed, in index order, each entry once, and never for longer than a few milliseconds on end. Work comes
 * from the driver and is done in the order in which it came:
 *
 *     push(entries) ─┐
 *     pushRange(…)  ─┼─▶ queue ─▶ ReplicatedMachine ─▶ onApplied for each entry, onProgress after each batch
 *     exclusive(job) ┘            (jobs: restoring a snapshot, beginning one)
 *
 * An idle applier applies within `push`: the reply to a proposal leaves in the same turn.
 */
import { assert, toError, type Clock } from '@lab/rpc'
import { EntryKind, type Entry } from '../entry.ts'
import type { Storage } from '../storage.ts'
import type { Index } from '../types.ts'
import type { ReplicatedMachine } from './replicated-machine.ts'

/** How long the event loop may be held before others get a turn. */
const SLICE_MS = 5
/** Reading the clock costs more than applying a small command: it is read after so many. */
const ENTRIES_PER_CLOCK_READ = 32
const READ_BYTES_MAX = 1024 * 1024

export interface ApplierOptions {
  readonly clock: Clock
  readonly storage: Pick<Storage, 'read'>
  readonly machine: ReplicatedMachine
  /** `reply` is null for entries that are no commands. */
  readonly onApplied: (entry: Entry, reply: Uint8Array | null) => void
  /** `lastApplied` has moved on. */
  readonly onProgress: (lastApplied: Index) => void
  /** The last in the log when this server started. */
  readonly stored: Index
  /**
   * What was found at the start is applied with rests so many times as long as a slice. What comes later is not: who rests might never
   * catch up.
   */
  readonly restPerSlice: () => number
  /** It has begun to work on what was found at the start, or has come to an end of it. */
  readonly onStarting: (atWork: boolean) => void
  /** Nothing more can be applied: committed entries cannot be read back, or a job failed. */
  readonly onFailure: (error: Error) => void
}

type Work =
  | {
      readonly type: 'entries'
      readonly entries: readonly Entry[]
      next: number
      /** Others of the same range follow: this server has some catching up to do. */
      readonly isFarBehind: boolean
    }
  | {
      readonly type: 'range'
      readonly first: Index
      readonly last: Index
      /** Null while it waits behind a job. */
      readonly read: Promise<readonly Entry[]> | null
    }
  | { readonly type: 'job'; readonly run: () => Promise<void> }

export class Applier {
  readonly #options: ApplierOptions
  readonly #queue: Work[] = []
  #busy = false
  #stopped = false
  #lastApplied: Index = 0

  constructor(options: ApplierOptions) {
    this.#options = options
  }

  /** How far the machine is (Figure 2). */
  get lastApplied(): Index {
    return this.#lastApplied
  }

  /** Is there more to be applied of what was found at the start? */
  get isStarting(): boolean {
    return this.#lastApplied < this.#options.stored
  }

  /** Entries that follow what was pushed before. */
  push(entries: readonly Entry[]): void {
    const [first] = entries
    if (first === undefined) return
    if (this.#queue[0]?.type === 'job') this.#postpone(first.index, first.index + entries.length - 1)
    else this.#enqueue({ type: 'entries', entries, next: 0, isFarBehind: false })
  }

  /** The same for entries that must be read back from storage. */
  pushRange(first: Index, last: Index): void {
    if (this.#stopped) return
    if (this.#queue[0]?.type === 'job') this.#postpone(first, last)
    else this.#enqueue({ type: 'range', first, last, read: this.#read(first, last) })
  }

  /** A job may take long, and what is committed meanwhile would pile up here: it is durable, and read back when it is its turn. */
  #postpone(first: Index, last: Index): void {
    const before = this.#queue.at(-1)
    const follows = before?.type === 'range' && before.read === null && before.last + 1 === first
    if (follows) this.#queue.pop()
    this.#enqueue({ type: 'range', first: follows ? before.first : first, last, read: null })
  }

  /** Runs `job` between two entries, alone. When it rejects, the applier fails. */
  exclusive(job: () => Promise<void>): void {
    this.#enqueue({ type: 'job', run: job })
  }

  /** Within a job, or before anything is pushed: the machine now holds the state of a snapshot. */
  restored(index: Index): void {
    this.#lastApplied = index
    this.#options.onProgress(index)
  }

  /** Applies nothing more. */
  stop(): void {
    this.#stopped = true
    this.#queue.length = 0
  }

  #enqueue(work: Work): void {
    if (this.#stopped) return
    this.#queue.push(work)
    if (!this.#busy) this.#resume()
  }

  readonly #resume = (): void => {
    try {
      this.#drain()
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  #drain(): void {
    this.#busy = true
    const { clock, restPerSlice, onStarting } = this.#options
    const sliceEnd = clock.now() + SLICE_MS
    for (let work = this.#queue[0]; work !== undefined; work = this.#queue[0]) {
      if (work.type !== 'entries') {
        onStarting(this.isStarting)
        this.#perform(work).then(this.#resume, this.#fail)
        return
      }
      if (!this.#applySome(work, sliceEnd)) {
        const isStarting = work.isFarBehind && this.isStarting
        onStarting(isStarting)
        const rest = isStarting ? restPerSlice() * SLICE_MS : 0
        clock.setTimer(rest, this.#resume, { keepAlive: true })
        return
      }
      this.#queue.shift()
    }
    this.#busy = false
    onStarting(false)
  }

  /** @returns false when the slice is over before the entries are */
  #applySome(work: Extract<Work, { type: 'entries' }>, sliceEnd: number): boolean {
    const { clock, onProgress } = this.#options
    const { entries } = work
    let over = false
    while (!over) {
      const entry = entries[work.next]
      if (entry === undefined) break
      work.next++
      this.#apply(entry)
      over = work.next % ENTRIES_PER_CLOCK_READ === 0 && clock.now() >= sliceEnd
    }
    onProgress(this.#lastApplied)
    // A listener may have stopped us, which empties the queue.
    return this.#stopped || work.next === entries.length
  }

  #apply(entry: Entry): void {
    const { index } = entry
    assert(index === this.#lastApplied + 1, 'each entry is applied right after the one before')
    const reply = entry.kind === EntryKind.command ? this.#options.machine.apply(entry) : null
    this.#lastApplied = index
    this.#options.onApplied(entry, reply)
  }

  async #perform(work: Exclude<Work, { type: 'entries' }>): Promise<void> {
    if (work.type === 'job') {
      await work.run()
      this.#queue.shift()
      return
    }
    const { first, last, read } = work
    const entries = await (read ?? this.#read(first, last))
    if (this.#stopped) return
    const end: Index | undefined = entries.at(-1)?.index
    assert(
      end !== undefined && entries[0]?.index === first,
      `committed entries from ${first} on are in storage`,
    )
    // Read while these are applied.
    const rest: Work[] =
      end < last ? [{ type: 'range', first: end + 1, last, read: this.#read(end + 1, last) }] : []
    this.#queue.splice(0, 1, { type: 'entries', entries, next: 0, isFarBehind: end < last }, ...rest)
  }

  #read(first: Index, last: Index): Promise<readonly Entry[]> {
    const read = this.#options.storage.read(first, last, READ_BYTES_MAX)
    // Whether it failed is looked at when it is its turn, if that comes.
    read.catch(() => undefined)
    return read
  }

  readonly #fail = (thrown: unknown): void => {
    if (this.#stopped) return
    this.stop()
    this.#options.onFailure(toError(thrown))
  }
}

import { ByteWriter, toError } from '@lab/rpc'
import { EVENT_HEAD_BYTES } from './events.ts'
import { KvError } from './errors.ts'
import type { KvStore } from './store.ts'
import { isInRange, keyOfEvent } from './event-key.ts'

/** Of events that wait for the reader; beyond it they are read out of the history when it comes for them. */
const QUEUE_BYTES_MAX = 256 * 1024
/** Of events in one item, and how many a watch looks at for it: others get a turn in between. */
const ITEM_BYTES = 64 * 1024
const LOOKED_AT_MAX = 4096

export interface ServerWatchOptions {
  readonly store: KvStore
  readonly from: Uint8Array
  readonly to: Uint8Array
  /** The first revision that it wants. */
  readonly first: number
  /** The first revision that has not been offered to watches. */
  readonly reached: () => number
  readonly onClose: () => void
}

/**
 * One reader's watch: an iterator of items, see watch-service.ts. It is level when it has seen all that was offered before: then
 * it takes what it is offered. Otherwise it reads the history.
 */
export class ServerWatch implements AsyncIterableIterator<Uint8Array> {
  readonly #options: ServerWatchOptions
  /** Events up to the one before are told or in the queue. */
  #next: number
  readonly #queue = new ByteWriter(256)
  /** Of the last item. */
  #through: number
  /** The first item, or word of how far the silence reaches, is due. */
  #isDue = true
  #isClosed = false
  #waiting: ((result: IteratorResult<Uint8Array>) => void) | null = null
  #refuse: ((error: Error) => void) | null = null

  constructor(options: ServerWatchOptions) {
    this.#options = options
    this.#next = options.first
    this.#through = options.first - 1
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** @throws {KvError} `COMPACTED` when changes that it wants are forgotten */
  next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isClosed) return Promise.resolve({ done: true, value: undefined })
    try {
      const item = this.#take()
      if (item !== null) return Promise.resolve({ done: false, value: item })
    } catch (error) {
      this.#close()
      return Promise.reject(toError(error))
    }
    return new Promise((resolve, reject) => {
      this.#waiting = resolve
      this.#refuse = reject
    })
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#close()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** The event of `revision`, for watches that have all before it. */
  offer(revision: number, bytes: Uint8Array, start: number, end: number): void {
    if (revision !== this.#next) return
    if (this.#queue.length > QUEUE_BYTES_MAX) return // Behind from here on.
    this.#next = revision + 1
    if (this.#isWanted(bytes, start)) this.#queue.raw(bytes.subarray(start, end))
  }

  /** Hands out what there is, if somebody waits. */
  wake(): void {
    if (this.#waiting === null) return
    let item: Uint8Array | null
    try {
      item = this.#take()
    } catch (error) {
      const refuse = this.#refuse
      this.#waiting = this.#refuse = null
      this.#close()
      refuse?.(toError(error))
      return
    }
    if (item === null) return
    const waiting = this.#waiting
    this.#waiting = this.#refuse = null
    waiting({ done: false, value: item })
  }

  tellProgress(): void {
    this.#isDue ||= this.#through < this.#next - 1
    this.wake()
  }

  #take(): Uint8Array | null {
    if (this.#queue.length === 0 && this.#next < this.#options.reached()) this.#readHistory()
    if (this.#queue.length === 0 && !this.#isDue) return null
    this.#isDue = false
    this.#through = this.#next - 1
    const item = new ByteWriter(8 + this.#queue.length).varint(this.#through).raw(this.#queue.view())
    this.#queue.reset()
    return item.view()
  }

  #readHistory(): void {
    const { store, reached } = this.#options
    const { firstRevision } = store
    if (this.#next < firstRevision)
      throw new KvError(
        'COMPACTED',
        `changes before revision ${String(firstRevision)} are forgotten, and the watch wants those from ${String(this.#next)} on: read the keys anew`,
        { firstRevision },
      )
    const end = reached()
    let left = LOOKED_AT_MAX
    store.changes(this.#next, (bytes, start, stop) => {
      if (this.#isWanted(bytes, start)) this.#queue.raw(bytes.subarray(start, stop))
      this.#next++
      return this.#next < end && this.#queue.length < ITEM_BYTES && --left > 0
    })
    // It has looked at many: the reader comes again for the rest, after others.
    this.#isDue ||= this.#next < end
  }

  #isWanted(bytes: Uint8Array, start: number): boolean {
    return isInRange(keyOfEvent(bytes, start + EVENT_HEAD_BYTES), this.#options)
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#queue.reset()
    this.#options.onClose()
    this.#waiting?.({ done: true, value: undefined })
    this.#waiting = this.#refuse = null
  }
}

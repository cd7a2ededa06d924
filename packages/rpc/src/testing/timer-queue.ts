import type { Milliseconds, Timer } from '../clock.ts'

/** Fires once, at its time; timers of one time in the order in which they were set. */
export class QueuedTimer implements Timer {
  readonly at: Milliseconds
  readonly order: number
  readonly #callback: () => void
  readonly #queue: TimerQueue
  #waiting = true

  constructor(at: Milliseconds, order: number, callback: () => void, queue: TimerQueue) {
    this.at = at
    this.order = order
    this.#callback = callback
    this.#queue = queue
  }

  get waiting(): boolean {
    return this.#waiting
  }

  cancel(): void {
    if (!this.#waiting) return
    this.#waiting = false
    this.#queue.cancelled()
  }

  fire(): void {
    this.#waiting = false
    this.#callback()
  }
}

/** Timers by time, then by order of creation: a binary heap. Cancelled ones stay until they surface, or outnumber the others. */
export class TimerQueue {
  #heap: QueuedTimer[] = []
  #created = 0
  #cancelled = 0

  /** Timers that will still fire. */
  get waiting(): number {
    return this.#heap.length - this.#cancelled
  }

  add(at: Milliseconds, callback: () => void): Timer {
    const timer = new QueuedTimer(at, ++this.#created, callback, this)
    this.#push(timer)
    return timer
  }

  /** One of these timers will not fire. For the timer itself. */
  cancelled(): void {
    this.#cancelled++
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#compact()
  }

  /** The next timer to fire, left where it is. */
  peek(): QueuedTimer | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || first.waiting) return first
      this.#removeFirst()
      this.#cancelled--
    }
  }

  /** The next timer to fire, taken out. */
  take(): QueuedTimer | undefined {
    const first = this.peek()
    if (first !== undefined) this.#removeFirst()
    return first
  }

  #compact(): void {
    const waiting = this.#heap.filter((timer) => timer.waiting)
    this.#heap = []
    this.#cancelled = 0
    for (const timer of waiting) this.#push(timer)
  }

  #push(timer: QueuedTimer): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as QueuedTimer
      if (!isBefore(timer, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = timer
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as QueuedTimer)) child++
      const below = heap[child] as QueuedTimer
      if (!isBefore(below, last)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: QueuedTimer, b: QueuedTimer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

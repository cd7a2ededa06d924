import type { Milliseconds, Timer } from '../clock.ts'

/** Fires once, at its time; timers of one time in the order in which they were set. */
export class QueuedTimer implements Timer {
  readonly order: number
  readonly #callback: () => void
  readonly #queue: TimerQueue
  #waiting = true

  constructor(order: number, callback: () => void, queue: TimerQueue) {
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
  /** When each of them is due: comparing times looks at no timer, and makes no number an object. */
  #times = new Float64Array(64)
  #created = 0
  #cancelled = 0

  /** Timers that will still fire. */
  get waiting(): number {
    return this.#heap.length - this.#cancelled
  }

  /** When the next timer fires; Infinity when there is none. */
  get nextAt(): Milliseconds {
    this.#surface()
    return this.#heap.length === 0 ? Infinity : (this.#times[0] as number)
  }

  add(at: Milliseconds, callback: () => void): Timer {
    const timer = new QueuedTimer(++this.#created, callback, this)
    this.#push(at, timer)
    return timer
  }

  /** One of these timers will not fire. For the timer itself. */
  cancelled(): void {
    this.#cancelled++
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#heap.length) this.#compact()
  }

  /** The next timer to fire, taken out. */
  take(): QueuedTimer | undefined {
    this.#surface()
    const [first] = this.#heap
    if (first !== undefined) this.#removeFirst()
    return first
  }

  /** Drops those that were cancelled and come first. */
  #surface(): void {
    while (this.#heap[0]?.waiting === false) {
      this.#removeFirst()
      this.#cancelled--
    }
  }

  #compact(): void {
    const heap = this.#heap
    const times = this.#times
    this.#heap = []
    this.#times = new Float64Array(times.length)
    this.#cancelled = 0
    for (const [place, timer] of heap.entries()) if (timer.waiting) this.#push(times[place] as number, timer)
  }

  #push(at: Milliseconds, timer: QueuedTimer): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(timer)
    if (place === this.#times.length) this.#grow()
    const times = this.#times
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = times[parent] as number
      if (above < at || (above === at && (heap[parent] as QueuedTimer).order < timer.order)) break
      heap[place] = heap[parent] as QueuedTimer
      times[place] = above
      place = parent
    }
    heap[place] = timer
    times[place] = at
  }

  #grow(): void {
    const times = new Float64Array(2 * this.#times.length)
    times.set(this.#times)
    this.#times = times
  }

  #removeFirst(): void {
    const heap = this.#heap
    const times = this.#times
    const last = heap.pop()
    const { length } = heap
    if (last === undefined || length === 0) return
    const at = times[length] as number
    let place = 0
    for (let child = 1; child < length; child = 2 * place + 1) {
      if (child + 1 < length && this.#isBefore(child + 1, child)) child++
      const below = times[child] as number
      const next = heap[child] as QueuedTimer
      if (below > at || (below === at && next.order > last.order)) break
      heap[place] = next
      times[place] = below
      place = child
    }
    heap[place] = last
    times[place] = at
  }

  #isBefore(a: number, b: number): boolean {
    const one = this.#times[a] as number
    const other = this.#times[b] as number
    if (one !== other) return one < other
    return (this.#heap[a] as QueuedTimer).order < (this.#heap[b] as QueuedTimer).order
  }
}

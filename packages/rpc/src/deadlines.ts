import type { Clock, Milliseconds, Timer } from './clock.ts'

/** Deadlines are kept to this many milliseconds: never early, and so much late at most. */
const GRAIN_MS = 5

/** Something that ends at a time unless it is removed before. */
export abstract class Deadlined {
  /** Its place among those of the same time; null when it waits for nothing. Only {@link Deadlines} touches these. */
  slot: Slot | null = null
  previous: Deadlined | null = null
  next: Deadlined | null = null
  /** The deadline has passed. */
  abstract expire(): void
}

interface Slot {
  readonly at: Milliseconds
  first: Deadlined | null
}

/**
 * Many deadlines on one timer. Those that fall into the same few milliseconds share a slot, a list through the things
 * themselves: adding and removing allocate nothing, and a call that ends in time costs no timer.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #slots = new Map<Milliseconds, Slot>()
  /** The slot used last: most calls have the same timeout. */
  #recent: Slot | null = null
  #timer: Timer | undefined
  #timerAt = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(thing: Deadlined, at: Milliseconds): void {
    if (at === Infinity) return
    const slot = this.#slot(Math.ceil(at / GRAIN_MS) * GRAIN_MS)
    thing.slot = slot
    thing.next = slot.first
    if (slot.first !== null) slot.first.previous = thing
    slot.first = thing
    if (slot.at < this.#timerAt) this.#arm(slot.at)
  }

  remove(thing: Deadlined): void {
    const { slot, previous, next } = thing
    if (slot === null) return
    if (previous === null) slot.first = next
    else previous.next = next
    if (next !== null) next.previous = previous
    thing.slot = null
    thing.previous = null
    thing.next = null
    if (slot.first === null && slot !== this.#recent) this.#slots.delete(slot.at)
  }

  /** Forgets everything; nothing expires any more. */
  clear(): void {
    this.#timer?.cancel()
    this.#timerAt = Infinity
    this.#slots.clear()
    this.#recent = null
  }

  #slot(at: Milliseconds): Slot {
    if (this.#recent?.at === at) return this.#recent
    const old = this.#recent
    if (old?.first === null) this.#slots.delete(old.at)
    let slot = this.#slots.get(at)
    if (slot === undefined) {
      slot = { at, first: null }
      this.#slots.set(at, slot)
    }
    this.#recent = slot
    return slot
  }

  #arm(at: Milliseconds): void {
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#clock.setTimer(Math.max(at - this.#clock.now(), 0), this.#onTimer, {
      keepAlive: true,
    })
  }

  readonly #onTimer = (): void => {
    this.#timerAt = Infinity
    const now = this.#clock.now()
    let earliest = Infinity
    for (const slot of [...this.#slots.values()]) {
      if (slot.at <= now) this.#expire(slot)
      else if (slot.first !== null) earliest = Math.min(earliest, slot.at)
    }
    if (earliest < this.#timerAt) this.#arm(earliest)
  }

  #expire(slot: Slot): void {
    if (this.#recent === slot) this.#recent = null
    this.#slots.delete(slot.at)
    while (slot.first !== null) {
      const thing = slot.first
      this.remove(thing)
      thing.expire()
    }
  }
}

/**
 * How many proposals may wait at the leader so that none of those it takes waits too long: as many as are done in that time
 * (Little's law). The others are refused at once, while that still means "certainly not applied": under overload the server does
 * what it can, and tells the rest to come back later.
 *
 * One sample is under way at a time, as TCP measures its round trips: how long until all that wait now are done. A sample counts the
 * network and the disk as if they grew with the queue, so the room is never more than what is really done in the time.
 */
import type { Milliseconds } from '@lab/rpc'

/** Before anything is known. */
const FIRST = 1024
/** A disk that stood still for a moment must not leave a server that takes one command at a time. */
const LEAST = 64

interface Sample {
  readonly at: Milliseconds
  readonly waiting: number
  /** How many had been done before, of all times. */
  readonly doneBefore: number
}

export class Admission {
  readonly #most: number
  readonly #waitMsMax: Milliseconds
  #room: number
  #sample: Sample | null = null

  /** @param most that may wait however fast they are done @param waitMsMax how long one may wait, about */
  constructor(most: number, waitMsMax: Milliseconds) {
    this.#most = most
    this.#waitMsMax = waitMsMax
    this.#room = Math.min(FIRST, most)
  }

  /** So many may wait. */
  get room(): number {
    return this.#room
  }

  /** Of all times, `done` are done; `waiting` wait, the newest of them since now. */
  appended(waiting: number, done: number, now: Milliseconds): void {
    this.#sample ??= { at: now, waiting, doneBefore: done }
  }

  /** Of all times, `done` are done. */
  progressed(done: number, now: Milliseconds): void {
    if (this.#sample === null) return
    const { at, waiting, doneBefore } = this.#sample
    const took = now - at
    const isLate = took > this.#waitMsMax
    if (!isLate && done - doneBefore < waiting) return
    const fits = Math.floor((done - doneBefore) * (this.#waitMsMax / took))
    if (isLate) this.#room = Math.min(this.#most, Math.max(LEAST, fits))
    else this.#room = Math.max(this.#room, Math.min(this.#most, 2 * this.#room, fits))
    this.#sample = null
  }

  /** Those that wait are done otherwise, or never. */
  forget(): void {
    this.#sample = null
  }
}

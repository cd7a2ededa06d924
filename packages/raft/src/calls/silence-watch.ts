/**
 * Notices that a server which is asked says nothing any more. A process that was stopped, or a machine that is gone, closes no
 * connection: a call to it would wait for the whole of its time, and somebody else may lead long since.
 */
import type { Clock, Milliseconds, Timer } from '@lab/rpc'

/** Looked at so often; one with calls in flight that answered none of them in between is silent. */
const LOOK_MS: Milliseconds = 100
/** And so often while it is, for as long as an election takes. */
const AGAIN_MS: Milliseconds = 25
const AGAIN_TIMES = 40
/** After that it is slow, or there is no majority. */
const LATER_MS: Milliseconds = 500

export class SilenceWatch {
  readonly #clock: Clock
  readonly #onSilent: () => void
  #inFlight = 0
  #heard = true
  #silences = 0
  #timer: Timer | null = null

  constructor(clock: Clock, onSilent: () => void) {
    this.#clock = clock
    this.#onSilent = onSilent
  }

  /** A call leaves. */
  asked(): void {
    this.#inFlight++
    if (this.#timer !== null) return
    this.#heard = true
    this.#silences = 0
    this.#look(LOOK_MS)
  }

  /** It has ended, one way or the other. */
  answered(): void {
    this.#inFlight--
    this.#heard = true
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#inFlight = Infinity
  }

  #look(delay: Milliseconds): void {
    this.#timer = this.#clock.setTimer(delay, () => this.#due())
  }

  #due(): void {
    this.#timer = null
    if (this.#inFlight === 0) return
    this.#silences = this.#heard ? 0 : this.#silences + 1
    this.#heard = false
    if (this.#silences > 0) this.#onSilent()
    this.#look(this.#silences === 0 ? LOOK_MS : this.#silences <= AGAIN_TIMES ? AGAIN_MS : LATER_MS)
  }
}

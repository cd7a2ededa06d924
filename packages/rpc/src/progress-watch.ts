import { systemClock, type Milliseconds, type Timer } from './clock.ts'
import type { FrameDecoder } from './frame.ts'

/** So much of a frame, or its end, must come in every period. */
const PROGRESS_BYTES_MIN = 4 * 1024
/** Who was stopped, and comes so late, has not looked yet at what has arrived: timers come first. */
const LATE_MS = 100

/**
 * Catches a peer that begins a frame and then keeps us waiting, byte by byte or for ever. Costs one timer per period, and
 * only while frames are incomplete.
 */
export class ProgressWatch {
  readonly #decoder: FrameDecoder
  readonly #periodMs: number
  readonly #onStuck: () => void
  #timer: Timer | undefined
  #due: Milliseconds = 0
  #frames = 0
  #bytes = 0
  #suspended = false

  constructor(decoder: FrameDecoder, periodMs: number, onStuck: () => void) {
    this.#decoder = decoder
    this.#periodMs = periodMs
    this.#onStuck = onStuck
  }

  /** To be called when a frame is incomplete; does nothing when it watches already. */
  start(): void {
    if (this.#timer !== undefined || this.#suspended) return
    this.#frames = this.#decoder.frames
    this.#bytes = this.#decoder.partialBytes
    this.#due = systemClock.now() + this.#periodMs
    this.#timer = systemClock.setTimer(this.#periodMs, this.#onPeriod)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  /** We do not read: what does not come is not the peer's fault. */
  suspend(): void {
    this.#suspended = true
    this.stop()
  }

  resume(): void {
    this.#suspended = false
    if (this.#decoder.partialBytes > 0) this.start()
  }

  readonly #onPeriod = (): void => {
    this.#timer = undefined
    if (this.#decoder.partialBytes === 0) return
    const isLate = systemClock.now() - this.#due > LATE_MS
    const isSameFrame = this.#decoder.frames === this.#frames
    if (!isLate && isSameFrame && this.#decoder.partialBytes - this.#bytes < PROGRESS_BYTES_MIN)
      this.#onStuck()
    else this.start()
  }
}

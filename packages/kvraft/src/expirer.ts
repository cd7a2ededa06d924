/**
 * Ends keys whose time has come. Only the log decides: the leader proposes `expire` when its clock says that the earliest
 * deadline has passed, and what expires is judged by the log time of that entry, on every replica alike.
 */
import { sleep, type Clock, type Milliseconds } from '@lab/rpc'

/** After an entry that failed, or came too early: the leader's clock may have been set back. */
const RETRY_MS: Milliseconds = 100
/** A clock that jumps forward is noticed so late at most. */
const LOOK_MS_MAX: Milliseconds = 60_000

export interface ExpirerOptions {
  /** Log time at which the next key is to expire; Infinity when none is. */
  readonly nextExpiry: () => number
  readonly clock: Clock
  /** Proposes the command `expire` to the store of that key. */
  readonly propose: (signal: AbortSignal) => Promise<unknown>
}

export class Expirer {
  readonly #options: ExpirerOptions
  #wake: (() => void) | null = null
  /** What {@link changed} compares with: when the wait under way ends. */
  #wakesAt = Infinity

  constructor(options: ExpirerOptions) {
    this.#options = options
  }

  /** Something was applied: there may be an earlier deadline than the one waited for. */
  changed(): void {
    if (this.#wake !== null && this.#options.nextExpiry() < this.#wakesAt) this.#wake()
  }

  /** For as long as this server leads. */
  async run(signal: AbortSignal): Promise<void> {
    const { nextExpiry, clock } = this.#options
    while (!signal.aborted) {
      const wait = nextExpiry() - clock.wallTime()
      if (wait > 0) await this.#wait(Math.min(wait, LOOK_MS_MAX), signal)
      else if (!(await this.#expire(signal))) await sleep(clock, RETRY_MS, signal)
    }
  }

  /** @returns whether anything has expired */
  async #expire(signal: AbortSignal): Promise<boolean> {
    const { nextExpiry, propose } = this.#options
    const before = nextExpiry()
    try {
      await propose(signal)
    } catch {
      return false // Not the leader any more, or too busy: tried again, by whoever leads.
    }
    return nextExpiry() !== before
  }

  #wait(wait: Milliseconds, signal: AbortSignal): Promise<void> {
    const { clock, nextExpiry } = this.#options
    this.#wakesAt = nextExpiry()
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        signal.removeEventListener('abort', wake)
        this.#wake = null
        resolve()
      }
      const timer = clock.setTimer(wait, wake)
      signal.addEventListener('abort', wake, { once: true })
      this.#wake = wake
    })
  }
}

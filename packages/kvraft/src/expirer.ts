/**
 * Ends keys whose time has come. Only the log decides: the leader proposes `expire` when its clock says that the earliest
 * deadline has passed, and what expires is judged by the log time of that entry, on every replica alike.
 */
import { sleep, type Clock, type Milliseconds } from '@lab/rpc'
import { commandCodec } from './commands.ts'
import type { KvStore } from './store.ts'

/** After an entry that failed, or came too early: the leader's clock may have been set back. */
const RETRY_MS: Milliseconds = 100
/** A clock that jumps forward is noticed so late at most. */
const LOOK_MS_MAX: Milliseconds = 60_000

export interface ExpirerOptions {
  readonly store: KvStore
  readonly clock: Clock
  readonly propose: (command: Uint8Array, signal: AbortSignal) => Promise<unknown>
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
    if (this.#wake !== null && this.#options.store.nextExpiry < this.#wakesAt) this.#wake()
  }

  /** For as long as this server leads. */
  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, propose } = this.#options
    while (!signal.aborted) {
      const wait = store.nextExpiry - clock.wallTime()
      if (wait > 0) await this.#wait(Math.min(wait, LOOK_MS_MAX), signal)
      else if (!(await this.#expire(propose, signal))) await sleep(clock, RETRY_MS, signal)
    }
  }

  /** @returns whether anything has expired */
  async #expire(propose: ExpirerOptions['propose'], signal: AbortSignal): Promise<boolean> {
    const { store } = this.#options
    const before = store.nextExpiry
    try {
      await propose(commandCodec.encode({ op: 'expire' }), signal)
    } catch {
      return false // Not the leader any more, or too busy: tried again, by whoever leads.
    }
    return store.nextExpiry !== before
  }

  #wait(wait: Milliseconds, signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#options
    this.#wakesAt = store.nextExpiry
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

/**
 * Time, passed in. Every part of every package that waits or times out takes a `Clock` from its options, so that a
 * simulator can run the whole stack in virtual time; only {@link systemClock} touches the real one.
 */

import { onAbort } from './on-abort.ts'

/** A duration or a point in time, in milliseconds; fractions allowed. */
export type Milliseconds = number

/** A timer that has not fired yet. Cancelling one that has fired, or twice, does nothing. */
export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin: for durations and deadlines. */
  now(): Milliseconds
  /** Milliseconds since 1970, integer; may jump when somebody sets the clock: only to stamp data for people. */
  wallTime(): Milliseconds
  /**
   * Calls `callback` once, after `delay` (≥ 0), never within this call; after a delay of 0 when whatever else is ready has had its
   * turn. A waiting timer keeps no process alive unless `keepAlive`.
   */
  setTimer(delay: Milliseconds, callback: () => void, options?: { readonly keepAlive?: boolean }): Timer
}

/** The longest delay that setTimeout takes; a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallTime: () => Date.now(),
  setTimer(delay, callback, options) {
    if (delay <= 0 && typeof setImmediate === 'function') return nextTurn(callback)
    const handle = setTimeout(callback, Math.min(Math.max(delay, 0), DELAY_MS_MAX))
    // Browsers return a number, which keeps nothing alive.
    if (options?.keepAlive !== true && typeof handle === 'object') handle.unref()
    return {
      cancel: () => {
        clearTimeout(handle)
      },
    }
  },
}

/**
 * A timer of Node's waits a millisecond at least, in which whoever only gives way to others would sleep. It keeps the process for this
 * turn: one that does not would be forgotten while the event loop waits for something else.
 */
function nextTurn(callback: () => void): Timer {
  const handle = setImmediate(callback)
  return {
    cancel: () => {
      clearImmediate(handle)
    },
  }
}

/**
 * Resolves after `delay`.
 *
 * @throws the signal's reason when `signal` aborts first
 */
export function sleep(clock: Clock, delay: Milliseconds, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const timer = clock.setTimer(
      delay,
      () => {
        stopListening?.()
        resolve()
      },
      { keepAlive: true },
    )
    const stopListening =
      signal === undefined
        ? undefined
        : onAbort(signal, () => {
            timer.cancel()
            reject(signal.reason as Error)
          })
  })
}

/**
 * Runs `callback` when this turn of the event loop has done its work, promise reactions included where the platform can
 * tell. Browsers throttle their timers, so there it is the end of the present reactions: smaller frames, no delay.
 */
export const endOfTurn: (callback: () => void) => void =
  typeof setImmediate === 'function' ? (callback) => setImmediate(callback) : queueMicrotask

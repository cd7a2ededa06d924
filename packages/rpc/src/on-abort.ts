/** Who waits for a signal, by signal: it carries one listener of ours, however many calls share it. */
const waiting = new WeakMap<AbortSignal, Waiting>()

interface Waiting {
  readonly callbacks: Set<() => void>
  readonly listener: () => void
}

/**
 * Calls `callback` once when `signal` aborts, which it has not yet. A listener for each call would cost more than the call, and
 * Node warns of a leak when more than ten share a signal.
 *
 * @returns a function that takes it back
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  // A callback of its own for each: the same function may wait twice.
  const own = (): void => {
    callback()
  }
  const all = waiting.get(signal) ?? listenTo(signal)
  all.callbacks.add(own)
  return () => {
    if (!all.callbacks.delete(own) || all.callbacks.size > 0) return
    // Nobody waits any more: the platform keeps a signal that is listened to.
    signal.removeEventListener('abort', all.listener)
    if (waiting.get(signal) === all) waiting.delete(signal)
  }
}

function listenTo(signal: AbortSignal): Waiting {
  const callbacks = new Set<() => void>()
  const listener = (): void => {
    waiting.delete(signal)
    for (const callback of [...callbacks]) if (callbacks.delete(callback)) callback()
  }
  signal.addEventListener('abort', listener, { once: true })
  const all = { callbacks, listener }
  waiting.set(signal, all)
  return all
}

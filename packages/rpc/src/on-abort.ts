import { WaitList } from './wait-list.ts'

/** Who waits for a signal, by signal: it carries one listener of ours, however many calls share it. */
const waiting = new WeakMap<AbortSignal, Waiting>()

interface Waiting {
  readonly callbacks: WaitList<() => void>
  readonly listener: () => void
}

/**
 * Calls `callback` once when `signal` aborts, which it has not yet. A listener for each call would cost more than the call, and
 * Node warns of a leak when more than ten share a signal.
 *
 * @returns a function that takes it back
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const all = waiting.get(signal) ?? listenTo(signal)
  const place = all.callbacks.add(callback)
  return () => {
    if (!all.callbacks.leave(place) || !all.callbacks.isEmpty) return
    // Nobody waits any more: the platform keeps a signal that is listened to.
    signal.removeEventListener('abort', all.listener)
    if (waiting.get(signal) === all) waiting.delete(signal)
  }
}

function listenTo(signal: AbortSignal): Waiting {
  const callbacks = new WaitList<() => void>()
  const listener = (): void => {
    waiting.delete(signal)
    for (let callback = callbacks.shift(); callback !== null; callback = callbacks.shift()) callback()
  }
  signal.addEventListener('abort', listener, { once: true })
  const all = { callbacks, listener }
  waiting.set(signal, all)
  return all
}

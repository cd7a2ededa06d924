/**
 * Room for promises. Virtual time may move on only when every promise reaction that was due has run, and only a turn of
 * the real event loop tells: this is the one place of the simulated path that asks for one. No time passes in it.
 */

/** Resolves in a later turn of the event loop, after all promise reactions of this one. */
export function turn(): Promise<void> {
  return new Promise(schedule)
}

const schedule: (callback: () => void) => void =
  typeof setImmediate === 'function' ? (callback) => setImmediate(callback) : byMessage

/** Browsers have no setImmediate; a message to oneself is as quick and is not throttled like a timer. */
function byMessage(callback: () => void): void {
  const { port1, port2 } = new MessageChannel()
  const receiver = port1 as unknown as { onmessage: () => void } // Node's types leave it out
  receiver.onmessage = () => {
    port1.close()
    callback()
  }
  port2.postMessage(null)
}

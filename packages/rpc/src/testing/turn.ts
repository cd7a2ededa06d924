/**
 * Room for promises. Virtual time may move on only when every promise reaction that was due has run, and only a turn of
 * the real event loop tells: this is the one place of the simulated path that asks for one. No time passes in it.
 */
import { toError } from '../errors.ts'

/** Turns asked for at once: between two of them Node runs the promise reactions, but does not go round its whole event loop. */
const TURNS_PER_ROUND = 64

/**
 * Calls `step` in turn after turn, each after all promise reactions of the one before, until it returns false.
 *
 * @throws what `step` throws
 */
export function turns(step: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let over = false
    const one = (): void => {
      if (over) return
      try {
        if (step()) return
        resolve()
      } catch (thrown) {
        reject(toError(thrown))
      }
      over = true
    }
    const last = (): void => {
      one()
      if (!over) round()
    }
    const round = (): void => {
      for (let turn = 1; turn < TURNS_PER_ROUND; turn++) schedule(one)
      schedule(last)
    }
    round()
  })
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

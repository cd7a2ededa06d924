import { expect, test } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { FrameDecoder } from '../src/frame.ts'
import { ProgressWatch } from '../src/progress-watch.ts'

const PERIOD_MS = 20

/** Holds the whole process, as SIGSTOP does. */
function stop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

test('a process that was stopped in the midst of a frame looks at what has arrived before it gives the peer up', async () => {
  const decoder = new FrameDecoder(1000)
  let stuck = 0
  const watch = new ProgressWatch(decoder, PERIOD_MS, () => stuck++)
  const messages: number[] = []
  const onMessage = ({ length }: Uint8Array): void => void messages.push(length)
  decoder.push(Uint8Array.of(4, 0, 0, 0, 1, 2), onMessage)
  watch.start()
  stop(PERIOD_MS + 150)
  // As what a socket brings: after the timers that are due.
  await new Promise<void>((resolve) => void systemClock.setTimer(0, () => setImmediate(resolve)))
  decoder.push(Uint8Array.of(3, 4), onMessage)
  expect({ stuck, messages }).toEqual({ stuck: 0, messages: [4] })
  watch.stop()
})

test('a peer that does not go on is given up after a period in which we looked', async () => {
  const decoder = new FrameDecoder(1000)
  await new Promise<void>((resolve) => {
    const watch = new ProgressWatch(decoder, PERIOD_MS, resolve)
    decoder.push(Uint8Array.of(4, 0, 0, 0, 1, 2), () => undefined)
    watch.start()
    stop(PERIOD_MS + 150)
  })
})

/** A large state is drawn and restored in slices: between two of them the event loop gets a turn, or heartbeats would wait for it (§7). */
import type { Clock } from '@lab/rpc'
import { expect, test } from 'vitest'
import type { RaftNode, StateMachine } from '../../src/index.ts'
import { RaftCluster } from '../../src/testing/cluster.ts'

const CHUNKS = 200
/** Of the processor, for each chunk. */
const CHUNK_MS = 1
const SLICE_MS = 5
const CHUNK_BYTES = 64 * 1024

/** One node's processor: work on it takes time, in which its event loop stands still. */
class Processor {
  workedMs = 0
  /** The longest time without a turn. */
  longestMs = 0
  turns = 0
  /** Others' time goes on meanwhile: its timers fire when it is free again. */
  #busyUntil = 0
  #sinceTurnMs = 0
  #now: () => number = () => 0

  around(inner: Clock): Clock {
    this.#now = () => Math.max(inner.now(), this.#busyUntil)
    return {
      now: this.#now,
      wallTime: () => inner.wallTime(),
      setTimer: (delay, callback, options) =>
        inner.setTimer(
          this.#now() - inner.now() + delay,
          () => {
            this.turns++
            this.#sinceTurnMs = 0
            callback()
          },
          options,
        ),
    }
  }

  work(): void {
    this.#busyUntil = this.#now() + CHUNK_MS
    this.workedMs += CHUNK_MS
    this.#sinceTurnMs += CHUNK_MS
    this.longestMs = Math.max(this.longestMs, this.#sinceTurnMs)
  }

  reset(): void {
    this.workedMs = 0
    this.longestMs = 0
    this.turns = 0
    this.#sinceTurnMs = 0
  }
}

/** Its state is as large as it says, and each part of it costs the processor something. */
class Large implements StateMachine<string, number> {
  readonly #processor: Processor

  constructor(processor: Processor) {
    this.#processor = processor
  }

  apply(command: string): number {
    return command.length
  }

  *snapshot(): Iterable<Uint8Array> {
    for (let i = 0; i < CHUNKS; i++) {
      this.#processor.work()
      yield new Uint8Array(CHUNK_BYTES)
    }
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks)
      for (let bytes = 0; bytes < chunk.length; bytes += CHUNK_BYTES) this.#processor.work()
  }
}

/** Every slice may go on for one more chunk. */
const HELD_MS_MAX = SLICE_MS + CHUNK_MS

function inSlices({ workedMs, longestMs, turns }: Processor): void {
  expect(longestMs).toBeGreaterThan(CHUNK_MS)
  expect(longestMs).toBeLessThanOrEqual(HELD_MS_MAX)
  expect(turns).toBeGreaterThanOrEqual(Math.floor(workedMs / HELD_MS_MAX))
}

/** A node alone, whose every piece of work takes its processor's time. */
async function start(): Promise<{
  processor: Processor
  t: RaftCluster<Large>
  node: RaftNode<Large>
  now: () => number
}> {
  const processor = new Processor()
  let clock: Clock | undefined
  const t = await RaftCluster.start<Large>({
    servers: 1,
    stateMachine: () => new Large(processor),
    transport: (own, inner) => {
      clock = processor.around(inner)
      return own
    },
    options: () => (clock === undefined ? {} : { clock }),
  })
  return { processor, t, node: await t.leader(), now: () => clock?.now() ?? 0 }
}

test('a state of 200 chunks that cost a millisecond each never holds the event loop for more than a slice of 5 ms', async () => {
  const { processor, t, node } = await start()
  await t.settle(node.propose('x'))
  processor.reset()
  await t.settle(node.snapshot())
  expect(processor.workedMs).toBe(CHUNKS * CHUNK_MS)
  inSlices(processor)
  await t.crash('n1')
  processor.reset()
  await t.restart('n1')
  expect(processor.workedMs).toBeGreaterThan(2 * SLICE_MS)
  inSlices(processor)
  await t.close()
})

test('while commands come each slice is followed by a rest longer than itself, and while none come by a turn alone', async () => {
  const { t, node, now } = await start()
  await t.settle(node.propose('x'))
  const begun = now()
  await t.settle(node.snapshot())
  expect(now() - begun).toBeLessThan(1.1 * CHUNKS * CHUNK_MS)
  await t.settle(node.propose('x'))
  const begunAgain = now()
  let isMade = false
  const made = node.snapshot().then(() => {
    isMade = true
  })
  while (!isMade) await t.settle(node.propose('y'))
  await made
  expect(now() - begunAgain).toBeGreaterThan(3 * CHUNKS * CHUNK_MS)
  await t.close()
})

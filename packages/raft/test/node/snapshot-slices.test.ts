/** A large state is drawn and restored in slices: between two of them the event loop gets a turn, or heartbeats would wait for it (§7). */
import type { Clock } from '@lab/rpc'
import { expect, test } from 'vitest'
import type { RaftNode, StateMachine } from '../../src/index.ts'
import { RaftCluster } from '../../src/testing/cluster.ts'
import { Processor } from './processor.ts'

const CHUNKS = 200
/** Of the processor, for each chunk. */
const CHUNK_MS = 1
const SLICE_MS = 5
const CHUNK_BYTES = 64 * 1024

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
      this.#processor.work(CHUNK_MS)
      yield new Uint8Array(CHUNK_BYTES)
    }
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks)
      for (let bytes = 0; bytes < chunk.length; bytes += CHUNK_BYTES) this.#processor.work(CHUNK_MS)
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

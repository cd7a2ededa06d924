import { ManualClock } from '@lab/rpc/testing'
import { expect, test } from 'vitest'
import { answerPage } from '../src/answers.ts'
import { Nudge } from '../src/nudge.ts'
import { Puller } from '../src/puller.ts'
import { Machine, config } from './machines.ts'

/** From the proposal of a page to its reply. */
const PAGE_MS = 3

interface Beside {
  /** A client of some other group is served while each page is on its way. */
  readonly served: boolean
  readonly makesSnapshot?: boolean
}

/** How long a shard of some 320 KB takes from one group to another, and in how many pages. */
async function pull({ served, makesSnapshot = false }: Beside): Promise<{ ms: number; pages: number }> {
  const clock = new ManualClock()
  const [source, destination] = [new Machine(1), new Machine(2)]
  const configs = [config(1, 1, 1), config(2, 2, 1)]
  source.configure(...configs.slice(0, 1))
  for (let key = 0; key < 32; key++) source.put(`b${key}`, 'x'.repeat(10_000))
  source.configure(...configs.slice(1))
  destination.configure(...configs)
  const { machine } = destination
  const nudge = new Nudge(clock)
  const ended = new AbortController()
  let pages = 0
  const puller = new Puller({
    ...{ machine, nudge, clock, traffic: machine.traffic },
    node: {
      makesSnapshot,
      propose: async (command) => {
        pages++
        await new Promise<void>((resolve) => clock.setTimer(PAGE_MS, resolve))
        if (served) machine.traffic.count()
        destination.apply(command)
      },
    },
    groups: {
      page: (_, request) => Promise.resolve(answerPage(source.machine, request)),
      taken: () => Promise.resolve([]),
    },
  })
  const running = puller.run(ended.signal)
  await clock.run(() => machine.migration.serves(0))
  const ms = clock.now()
  expect(machine.shards.get(0)?.store.size).toBe(32)
  ended.abort()
  await clock.advance(1000)
  await running
  return { ms, pages }
}

test('where nobody is served, pages follow each other without a rest', async () => {
  const { ms, pages } = await pull({ served: false })
  expect(pages).toBeGreaterThan(5)
  expect(ms).toBe(pages * PAGE_MS)
})

test('while clients are served, each full page is followed by eight times the time that it took', async () => {
  const { ms, pages } = await pull({ served: true })
  expect(ms).toBeGreaterThan((pages - 2) * 9 * PAGE_MS)
  expect(ms).toBeLessThanOrEqual(pages * 9 * PAGE_MS)
})

test('while a snapshot is written, and clients are served, pages come slowly, and do come', async () => {
  const { ms, pages } = await pull({ served: true, makesSnapshot: true })
  expect(ms / pages).toBeGreaterThan(150)
  expect((await pull({ served: false, makesSnapshot: true })).ms).toBe(pages * PAGE_MS)
})

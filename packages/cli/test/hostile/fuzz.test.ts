/** Bytes without sense at every port and to every decoder of a real server, while a good client works. */
import { seededRandom } from '@lab/rpc'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { badCaller, rubbish } from './attacks.ts'
import { GoodClient, startTarget, type Target } from './target.ts'

let target: Target
let good: GoodClient
const seed = Number(process.env['LAB_SEED'] ?? 1)

beforeAll(async () => {
  target = await startTarget()
  good = await GoodClient.start(target)
}, 30_000)

afterAll(() => {
  target.process.kill('SIGKILL')
})

/** The server lives, has let go of everybody but the good client, and has not grown for good. */
async function unharmed(rssBefore: number): Promise<void> {
  const before = good.done
  await expect.poll(() => good.done, { timeout: 20_000 }).toBeGreaterThan(before)
  await expect.poll(() => target.metric('lab_rpc_connections'), { timeout: 20_000 }).toBe(1)
  expect((await target.metric('process_resident_memory_bytes')) - rssBefore).toBeLessThan(150e6)
  expect(target.process.exitCode).toBeNull()
  expect(target.log()).not.toMatch(/bug:|Error:|unhandled/i)
}

test('rubbish at every port ends its own connection and nothing else', async () => {
  const random = seededRandom(seed)
  const rss = await target.metric('process_resident_memory_bytes')
  for (let round = 0; round < 30; round++)
    await Promise.all(Object.keys(target.ports).map((scheme) => rubbish(target, scheme, random)))
  await unharmed(rss)
})

test('who shakes hands in any role and then calls every method with rubbish is answered with errors', async () => {
  const rss = await target.metric('process_resident_memory_bytes')
  const callers = (['client', 'admin', 'peer'] as const).flatMap((role, i) =>
    (['tcp', 'ws'] as const).map((scheme, j) =>
      badCaller(target, scheme, role, seededRandom(seed * 10 + i * 2 + j)),
    ),
  )
  for (const answers of await Promise.all(callers)) expect(answers).toBe(12 * 12)
  await unharmed(rss)
})

test('after all of it what the good client wrote is what it reads, and the server stops in good order', async () => {
  await good.stop()
  expect(good.done).toBeGreaterThan(10)
  target.process.kill('SIGTERM')
  const code = await new Promise((resolve) => target.process.once('exit', resolve))
  expect({ code, log: target.log() }).toMatchObject({ code: 0 })
})

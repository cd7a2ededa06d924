/** The tests of connections that say nothing: as many of each kind as `counts` names, beside a client that must not notice. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectServiceDespite } from './silent.ts'
import { GoodClient, startTarget, type Target } from './target.ts'

export function silentTests(counts: readonly (readonly [scheme: string, count: number])[]): void {
  let target: Target
  let good: GoodClient

  beforeAll(async () => {
    target = await startTarget()
    good = await GoodClient.start(target)
  }, 30_000)

  afterAll(() => {
    target.process.kill('SIGKILL')
  })

  test.each(counts)(
    'at the port of %s %i connections that say nothing: memory is bounded, and the service goes on',
    async (scheme, count) => {
      const before = good.done
      const rss = await expectServiceDespite(target, scheme, count)
      if (process.env['LAB_VERBOSE'] !== undefined)
        console.log(`${scheme}: ${count} silent, ${Math.round(rss / 1e6)} MB`)
      expect(rss).toBeLessThan(200e6)
      expect(good.done).toBeGreaterThan(before)
    },
    120_000,
  )

  test('the good client was answered rightly all the while', async () => {
    await good.stop()
  })
}

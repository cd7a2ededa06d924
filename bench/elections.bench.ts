/** Does a busy cluster keep its leader? Load of four fifths of what it can take, for minutes, and nothing goes wrong. */
import type { Benchmark } from './benchmark.ts'
import { LabCluster } from './cluster/lab-cluster.ts'
import { closedLoop, pacedLoop, type LoadResult } from './cluster/load.ts'

const PEAK_IN_FLIGHT = 256
const PEAK_MS = 8000
const PART = 0.8
const LOOK_MS = 10_000
const START_SECONDS = 15
const KEYS = 10_000
const VALUE = new Uint8Array(256).fill(120)

export const benchmark: Benchmark = {
  title: 'Elections that nobody needs: three servers with default settings at 80 % of their best pace',
  byName: '--seconds 615 for ten minutes of it',
  async run({ seconds, log }) {
    const cluster = await LabCluster.start(3)
    const clerk = await cluster.clerk()
    try {
      const put = (n: number): Promise<unknown> => clerk.put(`key-${String(n % KEYS)}`, VALUE)
      const peak = await closedLoop(put, PEAK_IN_FLIGHT, { warmupMs: PEAK_MS / 2, measureMs: PEAK_MS / 2 })
      const pace = peak.perSecond * PART
      const { term } = await cluster.settled(clerk)
      const end = performance.now() + Math.max(10, seconds - START_SECONDS) * 1000
      const begun = performance.now()
      const results: LoadResult[] = []
      while (performance.now() < end) {
        const measureMs = Math.min(LOOK_MS, Math.max(1000, end - performance.now()))
        results.push(await pacedLoop(put, pace, { warmupMs: 0, measureMs }))
        const { term: now } = await cluster.settled(clerk)
        if (now !== term) log(`term ${String(now)}, not ${String(term)}`)
      }
      const { term: last } = await cluster.settled(clerk)
      return [
        {
          'at puts/s': pace,
          minutes: (performance.now() - begun) / 60_000,
          'puts/s': results.reduce((sum, one) => sum + one.perSecond, 0) / results.length,
          'worst p99 ms of 10 s': Math.max(...results.map(({ p99 }) => p99)),
          elections: last - term,
          retried: clerk.metrics().retried,
          goal: 'no election',
        },
      ]
    } finally {
      await clerk.close()
      await cluster.stop()
    }
  },
}

/** Batches made durable by our log, beside bare writes of as many bytes to a prepared file in the same run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Benchmark, Row } from './benchmark.ts'
import { BareFile } from './log/bare-file.ts'
import { DurableLog } from './log/durable-log.ts'
import { percentile } from './statistics.ts'

const BATCHES = [1, 8, 64, 512]
/** Many and short, so that both meet the same disk: its speed changes from one second to the next. */
const ROUNDS = 30
const SECONDS_MAX = 24
const GOAL = 0.85

/** Microseconds that each write took. */
type Times = number[]

export const benchmark: Benchmark = {
  title:
    'Log: batches of 256 B entries made durable, one in flight; bare is as many bytes to a prepared file',
  async run({ seconds }) {
    const folder = mkdtempSync(join(tmpdir(), 'lab-bench-log-'))
    const bare = new BareFile(join(folder, 'bare'))
    const log = await DurableLog.open(join(folder, 'log'))
    const millis = ((Math.min(seconds, SECONDS_MAX) - 1) * 1000) / (BATCHES.length * ROUNDS * 2)
    try {
      const rows: Row[] = []
      for (const size of BATCHES) rows.push(await compare(size, millis, bare, log))
      return rows
    } finally {
      await log.close()
      bare.close()
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

async function compare(size: number, millis: number, bare: BareFile, log: DurableLog): Promise<Row> {
  const bytes = new Uint8Array(Math.ceil((32 + size * 296) / 512) * 512).fill(0x5a)
  const bareTimes: Times = []
  const logTimes: Times = []
  const ratios: number[] = []
  const late: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    // Entries are made for both, so that both meet the same processor.
    const bareRound = await timed(millis, () => (log.entries(size), () => bare.write(bytes)))
    const loop = monitorEventLoopDelay({ resolution: 1 })
    loop.enable()
    const logRound = await timed(millis, () => {
      const entries = log.entries(size)
      return () => log.write(entries)
    })
    loop.disable()
    // The first rounds meet cold code and fresh files.
    if (round < 3) continue
    ratios.push(rate(logRound) / rate(bareRound))
    bareTimes.push(...bareRound)
    logTimes.push(...logRound)
    late.push(loop.max / 1e6)
  }
  return {
    'entries a batch': size,
    'bare batches/s': rate(bareTimes),
    'log batches/s': rate(logTimes),
    'log entries/s': rate(logTimes) * size,
    'log / bare': percentile(ratios, 0.5),
    goal: `≥ ${String(GOAL)}`,
    'p50 µs': percentile(logTimes, 0.5),
    'bare p50 µs': percentile(bareTimes, 0.5),
    'p99 µs': percentile(logTimes, 0.99),
    'bare p99 µs': percentile(bareTimes, 0.99),
    'loop late p50 ms': percentile(late, 0.5),
    'max ms': Math.max(...late),
  }
}

/** Repeats for `millis`; what `prepare` returns is timed. */
async function timed(millis: number, prepare: () => () => Promise<void>): Promise<Times> {
  const times: Times = []
  const end = performance.now() + millis
  while (performance.now() < end) {
    const write = prepare()
    const start = performance.now()
    await write()
    times.push((performance.now() - start) * 1000)
  }
  return times
}

/** Writes a second, were there nothing between them. */
function rate(times: Times): number {
  return (times.length * 1e6) / times.reduce((sum, time) => sum + time, 0)
}

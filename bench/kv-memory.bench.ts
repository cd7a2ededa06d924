/** A store of a million keys: how long each phase of its life takes, and how long the event loop stands still in it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { KvStore } from '@lab/kvraft'
import type { Benchmark, Row } from './benchmark.ts'
import { fill, overwrite, restore, save } from './kv/phases.ts'

const KEYS_MAX = 1_000_000
/** Fewer when there is less time than a slow machine needs. */
const KEYS_PER_SECOND = 40_000
const VALUE_BYTES = 256

export const benchmark: Benchmark = {
  title: `KV memory: up to ${String(KEYS_MAX)} keys × ${String(VALUE_BYTES)} B in one store, in slices of 5 ms; loop late: p99.9 ≤ 10 ms, at most 50`,
  async run({ seconds }) {
    const keys = Math.min(KEYS_MAX, Math.floor(seconds * KEYS_PER_SECOND))
    const folder = mkdtempSync(join(tmpdir(), 'lab-bench-kv-'))
    const file = join(folder, 'snapshot')
    const before = process.memoryUsage().rss
    const store = new KvStore()
    try {
      const phase = (name: string, work: () => Promise<number>): Promise<Row> => measured(name, before, work)
      const rows = [
        await phase('new keys, in no order', () => fill(store, keys, VALUE_BYTES)),
        await phase('other values', () => overwrite(store, keys, VALUE_BYTES)),
        await phase('snapshot, puts meanwhile', () => save(store, file, keys, VALUE_BYTES)),
      ]
      // What a start pays: a store of its own, while the old one stands beside it.
      const restored = new KvStore()
      rows.push(await phase('restore, into another store', () => restore(restored, file)))
      if (restored.size !== keys) throw new Error(`restored ${String(restored.size)} keys`)
      return rows
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** @param work returns how many keys it has dealt with */
async function measured(name: string, before: number, work: () => Promise<number>): Promise<Row> {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const start = performance.now()
  const cpu = process.cpuUsage()
  const keys = await work()
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - start) / 1000
  loop.disable()
  return {
    phase: name,
    seconds,
    'keys/s': keys / seconds,
    'CPU µs a key': (user + system) / keys,
    'loop late p99 ms': loop.percentile(99) / 1e6,
    'p99.9 ms': loop.percentile(99.9) / 1e6,
    'max ms': loop.max / 1e6,
    'resident MB': (process.memoryUsage().rss - before) / 1e6,
  }
}

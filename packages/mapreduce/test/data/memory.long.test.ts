/** Ten times the budget through one map and one reduce: what the process holds stays within its bound. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Groups } from '../../src/data/groups.ts'
import { MapOutput } from '../../src/data/map-output.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import { systemFiles } from '../../src/data/system-files.ts'

const BUDGET = 16 * 2 ** 20

test('data ten times the budget takes at most twice the budget and 100 MB more', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'lab-mr-memory-'))
  try {
    const before = process.memoryUsage.rss()
    let peak = 0
    const look = (i: number): void => {
      if (i % 10_000 === 0) peak = Math.max(peak, process.memoryUsage.rss())
    }
    const count = 2_000_000
    const filler = 'x'.repeat(60)
    const output = new MapOutput<string, string>({
      files: systemFiles,
      path: join(folder, 'map'),
      partitions: 1,
      budgetBytes: BUDGET,
    })
    for (let i = 0; i < count; i++) {
      output.emit(String((i * 7919) % count).padStart(8, '0'), filler)
      look(i)
    }
    const { path, spills, bytes } = output.finish()
    expect(bytes).toBeGreaterThan(8 * BUDGET)
    const sources = spills.map(([segment]) => ({ path, segment: segment! }))
    const input = new ReduceInput({
      files: systemFiles,
      sources,
      scratch: join(folder, 's'),
      budgetBytes: BUDGET,
    })
    const groups = new Groups<string, string>(input.run)
    let seen = 0
    for (; groups.next(); seen++) look(seen)
    input.close()
    expect(seen).toBe(count)
    expect(peak - before).toBeLessThan(2 * BUDGET + 100e6)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/** What a worker process holds while it maps and reduces ten times its budget. */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '@lab/mapreduce'
import { afterAll, beforeAll, expect, test } from 'vitest'

const HOOKS = new URL('../../../../scripts/register-source.mjs', import.meta.url).href
const LINES = new URL('apps/lines.ts', import.meta.url)
const BUDGET = 8 * 2 ** 20
/** What loads TypeScript, in the process and in its thread: an installed package has none of it. */
const LOADER = 30e6

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lab-mr-memory-'))
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** The most bytes that the worker of such a run was seen to hold. */
async function peakOf(name: string, lines: number): Promise<number> {
  const text = Array.from({ length: lines }, (_, i) => `${String((i * 7919) % lines).padStart(90, 'x')}\n`)
  writeFileSync(join(folder, name), text.join(''))
  let peak = 0
  const timer = setInterval(() => (peak = Math.max(peak, ...workers().map(heldBy))), 20)
  await run(LINES, {
    input: join(folder, name),
    output: join(folder, `${name}.out`),
    mode: 'cluster',
    workers: 1,
    memoryBytes: BUDGET,
    durable: false,
    execArgv: ['--import', HOOKS],
  })
  clearInterval(timer)
  return peak
}

function workers(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const isOurs = readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${String(process.pid)}\n`)
      return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker-main')
    } catch {
      return false
    }
  })
}

function heldBy(pid: string): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

test.skipIf(!existsSync('/proc/self/status'))(
  'a worker that maps and reduces ten times its budget holds no more than twice the budget and 100 MB',
  { timeout: 300_000 },
  async () => {
    // The first to load the sources in a fresh checkout makes JavaScript of them: 55 MB that say nothing about a job.
    await peakOf('few', 100)
    const peak = await peakOf('many', Math.ceil((10 * BUDGET) / 91))
    expect(peak).toBeGreaterThan(50e6)
    expect(peak).toBeLessThan(2 * BUDGET + 100e6 + LOADER)
  },
)

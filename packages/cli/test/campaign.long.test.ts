import { expect, test } from 'vitest'
import { lab } from './fake-io.ts'

/** A day of virtual time, in a process for each core; LAB_SIM_HOURS for another. About ten minutes on two cores. */
const HOURS = process.env['LAB_SIM_HOURS'] ?? '24'

test.each(['kv', 'raft'])('campaign of %s: every seed holds', { timeout: 3_600_000 }, async (scenario) => {
  const half = String(Math.max(1, Math.ceil(Number(HOURS) / 2)))
  // Other seeds each day: a campaign that repeats itself finds nothing new.
  const from = String(1 + (Math.floor(Date.now() / 86_400_000) % 900) * 1000)
  const { code, out, talk } = await lab([
    'sim',
    'run',
    '--scenario',
    scenario,
    '--hours',
    half,
    '--from',
    from,
  ])
  expect({ code, talk: code === 0 ? '' : talk }).toEqual({ code: 0, talk: '' })
  expect(out).toMatch(/seeds, 0 failed/)
  console.log(`Passed campaign ${scenario}: ${out}`)
})

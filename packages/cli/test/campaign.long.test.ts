import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { lab } from './fake-io.ts'

/** A day of virtual time in all, in a process for each core; LAB_SIM_HOURS for another. */
const HOURS = Number(process.env['LAB_SIM_HOURS'] ?? '24')
/** Longer stories than `npm test` has, which also cost less for each second of them. */
const SECONDS = '20'
const SCENARIOS = ['kv', 'raft', 'reads']

test.each(SCENARIOS)('campaign of %s: every seed holds', { timeout: 7_200_000 }, async (scenario) => {
  const hours = String(Math.max(1, Math.ceil(HOURS / SCENARIOS.length)))
  // Other seeds each day: a campaign that repeats itself finds nothing new.
  const from = String(1 + (Math.floor(Date.now() / 86_400_000) % 900) * 1000)
  const flags = ['--scenario', scenario, '--hours', hours, '--seconds', SECONDS, '--from', from]
  const { code, out, talk } = await lab(['sim', 'run', ...flags])
  const date = new Date().toISOString().slice(0, 10)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  // A row for docs/simulator.md.
  console.log(`Campaign ${date} ${commit} ${scenario}, seeds from ${from}, ${SECONDS} s each: ${out}`)
  expect({ code, failed: /(\d+) failed/.exec(out)?.[1], talk: code === 0 ? '' : talk }).toEqual({
    code: 0,
    failed: '0',
    talk: '',
  })
})

/** The npm scripts: what people type, and what they are told when it makes no sense. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { bundles, isFresh, type Made } from '../scripts/lib/bundles.mjs'
import { spread } from './shared/sequencer.ts'
import { root } from './tidy/files.ts'

interface Ran {
  readonly status: number | null
  readonly output: string
}

function run(script: string, ...args: string[]): Ran {
  const options = { cwd: root, encoding: 'utf8', timeout: 60_000 } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, [join('scripts', script), ...args], options)
  return { status, output: stdout + stderr }
}

async function library<T>(name: string): Promise<T> {
  return (await import(pathToFileURL(join(root, 'scripts', 'lib', name)).href)) as T
}

test('a name that no test has fails and lists the parts of the labs', () => {
  const { status, output } = run('test.mjs', 'test/scripts.test.ts', 'no such name, surely')
  expect(status).toBe(1)
  expect(output).toContain('no test has a name that matches')
  expect(output).toContain('2A 2B 2C 2D 3A 3B 4A 4B mr')
  expect(output).toMatch(/^0 passed, 0 failed, 0 skipped$/m)
})

test('a seed that is no number is refused before anything runs', () => {
  const { status, output } = run('test.mjs', '--seed', 'x')
  expect(status).toBe(2)
  expect(output).toContain('--seed takes a whole number from 0 on, not "x"')
})

test('an example that is not there is refused with those that are', () => {
  const { status, output } = run('example.mjs', '99')
  expect(status).toBe(2)
  expect(output).toContain('there is no example "99"')
})

test('words of a command line become a pattern: parts are alternatives, other words one piece of text', async () => {
  const { namePattern } = await library<{ namePattern: (words: string[]) => string }>('test-filter.mjs')
  const parts = new RegExp(namePattern(['2A', '2B']))
  expect(parts.test('InitialElection (2A)')).toBe(true)
  expect(parts.test('Backup (2B)')).toBe(true)
  expect(parts.test('Persist1 (2C), unlike 2A')).toBe(false)
  const text = new RegExp(namePattern(['(§5.4.1)', 'refuses']))
  expect(text.test('(§5.4.1) refuses a vote')).toBe(true)
  expect(text.test('(§5x4.1) refuses a vote')).toBe(false)
})

test('files that wait for processes stand among files that compute, and none is lost', () => {
  expect(spread(['A', 'B'], ['a', 'b', 'c', 'd', 'e'])).toEqual(['A', 'a', 'b', 'B', 'c', 'd', 'e'])
  expect(spread(['A', 'B', 'C'], ['a', 'b', 'c'])).toEqual(['A', 'a', 'b', 'B', 'c', 'C'])
})

test('what an example prints is compared without addresses, times, terms and who it was', async () => {
  const { normalise } = await library<{ normalise: (text: string) => string }>('normalise.mjs')
  expect(normalise('n2 leads term 7 at tcp://localhost:40123, after 231 ms\ntotal 42\n')).toBe(
    '<node> leads term # at <address>, after # ms\ntotal 42\n',
  )
})

test('the bundles that lab runs from count no more when a source has changed since, or one of them is gone', async () => {
  await bundles()
  const current = new URL('../node_modules/.cache/lab-bundles/current.json', import.meta.url)
  const made = JSON.parse(readFileSync(current, 'utf8')) as Made
  expect(isFresh(made)).toBe(true)
  const source = 'packages/raft/src/index.ts'
  expect(made.inputs[source]).toMatch(/^\d/)
  expect(isFresh({ ...made, inputs: { ...made.inputs, [source]: '1 1' } })).toBe(false)
  expect(isFresh({ ...made, at: '/elsewhere' })).toBe(false)
  expect(isFresh({ ...made, entries: {} })).toBe(false)
  expect(isFresh({ ...made, entries: { ...made.entries, x: 'file:///none.js' } })).toBe(false)
  expect(() => isFresh({ ...made, inputs: { 'packages/none.ts': '1 1' } })).toThrow('ENOENT')
})

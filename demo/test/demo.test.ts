/** A short variant of the whole: real processes, real SIGKILLs. */
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { holderOf, run, type Io } from '@lab/cli'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { demonstrate } from '../src/main.ts'
import { PlainLines } from '../src/plain.ts'

let root: string
let texts: string[]

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'lab-demo-'))
  texts = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => join(root, `${name}.txt`))
  for (const text of texts)
    writeFileSync(text, Array.from({ length: 40 }, (_, n) => `This is line ${n} of ${text}.\n`).join(''))
})

afterAll(() => {
  rmSync(root, { recursive: true, force: true })
})

const dataFolders = (): string[] => ['m1', 'm2', 'm3'].map((id) => join(root, '.lab', 'demo', 'data', id))

async function expectNoMachines(): Promise<void> {
  for (const folder of dataFolders())
    await expect.poll(() => holderOf(folder), { timeout: 10_000 }).toBeNull()
}

test('a text survives that shards move, SIGKILL of a machine meanwhile and of all; the last lines tell it, and the trace shows it again', async () => {
  const lines: string[] = []
  const print = (line: string): void => void lines.push(line)
  const signal = new AbortController().signal
  const surroundings = { print, view: new PlainLines(print), root, signal, pauseMs: 200 }
  const code = await demonstrate([...texts, '--rate', '60', '--nodes', '3'], surroundings)
  // Without the lines that come every few seconds.
  const story = lines.filter((line) => !/ operations, [\d ]+\/s, /.test(line)).join('\n')
  expect(story).toMatch(
    /MapReduce: 2 worker processes index 6 texts\n[^]*MapReduce: \d+ words, .*\n[^]*the store serves the index, \d+ keys .*\n.*"\w+"\? .*, 0 wrong answers\n/,
  )
  expect(story).toMatch(
    /shards A{32}B{32}\n.* lab shard join 102 --on m3,m1,m2: 21 of 64 shards are to move\n/,
  )
  expect(story).toMatch(
    /kill -9 m\d, which leads .*; [1-9]\d* of 21 shards have moved\n.* leaders: controller m\d, 100 m\d, 101 m\d, 102 m\d; .* 0 failed\n/,
  )
  expect(story).toMatch(/shards (?=[AaBbCc]{64}\n)[AaBbc]*C.*\n.* kill -9 m\d, /)
  expect(story).toMatch(
    /shards A+C+B+C+\n.* all 21 have moved, \d+ ms after the command\n.*"\w+"\? .*, 0 wrong answers\n/,
  )
  expect(story).toMatch(/kill -9 m1 m2 m3: all of them\n[^]* leaders: controller m\d, .* 0 failed\n/)
  expect(lines.slice(-5)).toEqual([
    expect.stringMatching(/^[\d ]+ operations in [\d.]+ s: \d+\/s, p50 .*, p99 /),
    expect.stringMatching(/^[\d ]+ questions to the index answered meanwhile, all right; the slowest took /),
    expect.stringMatching(/^\d+ keys read back, .*: equal to what was written, byte by byte; .* on disk$/),
    'lost: 0 · duplicated: 0',
    `see it again: npx lab trace cols ${join('.lab', 'demo', 'trace')}`,
  ])
  expect(code).toBe(0)
  expect(existsSync(join(root, '.lab', 'demo', 'data'))).toBe(false)

  const seen = await lab(['trace', 'cols', join(root, '.lab', 'demo', 'trace')])
  expect(seen).toMatch(/SIGKILL m\d ─/)
  expect(seen).toMatch(/101: leader, term/)
  expect(seen).toMatch(/10[01]: shard \d+ frozen/)
  expect(seen).toMatch(/102: shard \d+/)
  expect(seen).toMatch(/SIGKILL m1 m2 m3 ─/)
})

test('Ctrl-C stops the machines and ends with 130', async () => {
  const child = await startedDemo()
  // So a machine ends also when the demo is killed itself: packages/cli/test/server.test.ts.
  if (existsSync('/proc/self/cmdline'))
    for (const folder of dataFolders()) {
      const { pid = null } = (await holderOf(folder)) ?? {}
      expect(readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')).toContain('--while-stdin')
    }
  child.kill('SIGINT')
  expect(await exitOf(child)).toEqual({ code: 130, signal: null })
  await expectNoMachines()
})

/** Resolves when the machines run. */
async function startedDemo(): Promise<ChildProcess> {
  const hooks = new URL('../../scripts/register-source.mjs', import.meta.url).href
  const script = fileURLToPath(new URL('start-in.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', hooks, script, root, ...texts, '--nodes', '3'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for (const folder of dataFolders())
    await expect.poll(() => holderOf(folder), { timeout: 30_000 }).not.toBeNull()
  return child
}

function exitOf(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code, signal })
    })
  })
}

async function lab(argv: readonly string[]): Promise<string> {
  let out = ''
  const io: Io = {
    out: async (data) => void (out += Buffer.from(data).toString()),
    talk: () => undefined,
    readInput: async () => new Uint8Array(0),
    lines: async function* () {
      await Promise.resolve()
      yield ''
    },
    ...{ env: {}, cwd: root, interactive: false, color: false, width: 140 },
    signal: new AbortController().signal,
  }
  expect(await run(argv, io)).toBe(0)
  return out
}

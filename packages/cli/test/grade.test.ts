import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { LAB_BIN } from '../src/own-files.ts'
import { lab } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

const skeleton = fileURLToPath(
  new URL('../../../examples/08-write-your-own-raft/my-raft.ts', import.meta.url),
)

test('a Raft that never leads fails each test of 2A: the rule, its section, a trace, and how to see it', async () => {
  const cwd = temporaryFolder()
  const ran = await lab(['grade', skeleton, '--part', '2A', '--seeds', '1'], { cwd })
  expect(ran.code).toBe(1)
  expect(ran.talk).toBe('lab: 0 passed, 3 failed')
  expect(ran.out).toContain('FAILED InitialElection (2A), seed 1, after 5.')
  expect(ran.out).toContain('a majority that can talk to each other has a leader within 5 s (§5.2')
  expect(ran.out).toContain("--test 'InitialElection (2A)' --from 1 --seeds 1")
  const trace = join(cwd, '.lab', 'traces', 'InitialElection-2A-1.jsonl')
  expect(readFileSync(trace, 'utf8')).toContain('"type":"RequestVote"')
  // The lab itself says what it found.
  expect((await lab(['trace', 'check', trace])).out).toContain('no leader among n1, n2, n3 for 5 s')
})

test('the verdict is there for programs too', async () => {
  const argv = ['grade', skeleton, '--test', 'ReElection', '--seeds', '2', '-o', 'json']
  const { out } = await lab(argv, { cwd: temporaryFolder() })
  expect(JSON.parse(out)).toEqual([
    expect.objectContaining({
      test: 'ReElection (2A)',
      passed: false,
      seed: 1,
      section: expect.any(String) as string,
    }),
  ])
})

test('a module that is not there, exports no make, or throws, is told apart', async () => {
  const cwd = temporaryFolder()
  expect(await lab(['grade', 'none.ts'], { cwd })).toMatchObject({
    code: 2,
    talk: 'lab: there is no file none.ts',
  })
  writeFileSync(join(cwd, 'empty.mjs'), 'export const nothing = 1\n')
  expect((await lab(['grade', 'empty.mjs'], { cwd })).talk).toMatch(
    /exports nothing to grade[^]*a Raft: +make\(/,
  )
  writeFileSync(join(cwd, 'throws.mjs'), "throw new Error('not yet')\n")
  expect((await lab(['grade', 'throws.mjs'], { cwd })).talk).toContain('cannot be loaded: Error: not yet')
  writeFileSync(join(cwd, 'breaks.mjs'), "export function make() { throw new TypeError('no constructor') }\n")
  const ran = await lab(['grade', 'breaks.mjs', '--test', 'BasicAgree', '--seeds', '1'], { cwd })
  expect(ran.out).toContain('BasicAgree (2B), seed 1: it threw TypeError: no constructor')
  expect((await lab(['grade', 'breaks.mjs', '--test', 'NoSuchTest'], { cwd })).code).toBe(2)
})

test('traces go where --traces says, also by an absolute path', async () => {
  const traces = temporaryFolder()
  const argv = ['grade', skeleton, '--test', 'InitialElection', '--seeds', '1', '--traces', traces]
  const { out } = await lab(argv, { cwd: temporaryFolder() })
  const file = join(traces, 'InitialElection-2A-1.jsonl')
  expect(out).toContain(`lab trace html ${file}`)
  expect(existsSync(file)).toBe(true)
})

test('a run without end is ended, and told with the line that it is in', () => {
  const file = join(temporaryFolder(), 'endless.mjs')
  writeFileSync(file, 'export const make = () => spin()\nfunction spin() {\n  for (;;);\n}\n')
  const argv = [LAB_BIN, 'grade', file, '--part', '2A', '--seeds', '1', '--hang', '300ms']
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  expect(stderr).toMatch(
    /^lab: InitialElection \(2A\), seed 1, has not ended after 0.3 s.*\n {2}it is in spin \(.*endless.mjs:3\)\n.*make.*:1\)\n$/,
  )
  expect(status).toBe(1)
})

const plainKv = fileURLToPath(new URL('../../kvraft/test/labs/plain-kv.ts', import.meta.url))

test('a key/value service is held to part 3: a server and a clerk, and what they lack is told by its rule', async () => {
  const cwd = temporaryFolder()
  const passes = await lab(['grade', plainKv, '--part', '3A', '--test', 'OnePartition', '--seeds', '1'], {
    cwd,
  })
  expect(passes).toMatchObject({ code: 0, talk: '1 passed, 0 failed' })
  expect(passes.out).toMatch(/^Passed OnePartition \(3A\) .* 9 ops$/m)
  const lacks = await lab(['grade', plainKv, '--test', 'SnapshotSize', '--seeds', '1'], { cwd })
  expect(lacks.code).toBe(1)
  expect(lacks.out).toContain('8000 are allowed\n  the rule: ')
  expect(lacks.out).toContain("--test 'SnapshotSize (3B)' --from 1 --seeds 1")
})

test('part 3 with a Raft alone puts our store on it', async () => {
  const argv = ['grade', skeleton, '--part', '3A', '--test', 'OnePartition', '--seeds', '1']
  const { code, out } = await lab(argv, { cwd: temporaryFolder() })
  expect(code).toBe(1) // This Raft never leads: no put is ever acknowledged.
  expect(out).toContain('OnePartition (3A), seed 1, after 120')
})

const plainController = fileURLToPath(
  new URL('../../shardctrler/test/labs/plain-controller.ts', import.meta.url),
)

test('a shard controller is held to part 4A', async () => {
  const argv = ['grade', plainController, '--part', '4A', '--seeds', '2']
  const { code, out, talk } = await lab(argv, { cwd: temporaryFolder() })
  expect({ code, talk }).toEqual({ code: 0, talk: '3 passed, 0 failed' })
  expect(out).toMatch(/^Passed Multi \(4A\) .* ops$/m)
})

test('a sharded store is held to part 4B, on our controller', async () => {
  const shards = fileURLToPath(new URL('../../shardkv/test/labs/our-shards.ts', import.meta.url))
  const argv = ['grade', shards, '--part', '4B', '--test', 'JoinLeave', '--seeds', '2']
  const { code, out, talk } = await lab(argv, { cwd: temporaryFolder() })
  expect({ code, talk }).toEqual({ code: 0, talk: '1 passed, 0 failed' })
  expect(out).toMatch(/^Passed JoinLeave \(4B\) .* ops$/m)
})

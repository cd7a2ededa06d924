import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { LAB_BIN } from '../src/own-files.ts'
import { lab } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

const folder = temporaryFolder()

function historyFile(name: string, ...lines: readonly object[]): string {
  const path = join(folder, name)
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return path
}

const put = { type: 'invoke', id: 1, client: 'a', op: { op: 'put', key: 'x', value: '1' } }
const get = { type: 'invoke', id: 2, client: 'b', op: { op: 'get', key: 'x' } }

describe('lab check', () => {
  test('a history with an explanation: exit 0', async () => {
    const file = historyFile('good', { v: 1, model: 'kv' }, put, get, { type: 'ok', id: 2, result: '1' })
    expect(await lab(['check', file])).toEqual({
      code: 0,
      out: 'linearizable: 2 operations on 1 keys\n',
      talk: '',
    })
  })

  test('one without: exit 1, with the operations that show it', async () => {
    const lines = [put, { type: 'ok', id: 1 }, get, { type: 'ok', id: 2, result: null }]
    const { code, out } = await lab(['check', historyFile('bad', ...lines), '--model', 'kv'])
    expect(code).toBe(1)
    expect(out).toMatch(/not linearizable[^]*put x "1"\n.*get x → null/)
    const json = await lab(['check', historyFile('bad', ...lines), '--model', 'kv', '-o', 'json'])
    expect(JSON.parse(json.out)).toMatchObject({ verdict: 'no', counterExample: { key: 'x' } })
  })

  test('one that is too hard for the budget: said, and not 0', async () => {
    const many = Array.from({ length: 12 }, (_, at) => ({
      ...put,
      id: at,
      op: { ...put.op, value: String(at) },
    }))
    const reads = [
      { ...get, id: 99 },
      { type: 'ok', id: 99, result: '5' },
    ]
    const { code, out } = await lab([
      'check',
      historyFile('hard', ...many, ...reads),
      '--model',
      'kv',
      '--budget',
      '2',
    ])
    expect({ code, out: out.slice(0, 7) }).toEqual({ code: 1, out: 'unknown' })
  })

  test.each([
    ['a line that is no JSON', 'hello\n', /line 1: it is no JSON/],
    ['no model', `${JSON.stringify(put)}\n`, /--model kv/],
    ['a foreign model', '{"v":1,"model":"queue"}\n', /there is no model queue/],
    [
      'a foreign operation',
      '{"v":1,"model":"kv"}\n{"type":"invoke","id":1,"op":{"op":"pop","key":"x"}}\n',
      /no operation of kv/,
    ],
  ])('%s: exit 2, with the reason', async (_, input, why) => {
    const { code, talk } = await lab(['check', '-'], { input })
    expect(code).toBe(2)
    expect(talk).toMatch(why)
  })

  test('a file that is not there: exit 2', async () => {
    expect((await lab(['check', join(folder, 'none')])).code).toBe(2)
  })
})

describe('lab sim', () => {
  test('run tells how many seeds failed, as a sentence and as JSON', async () => {
    const { code, out } = await lab([
      'sim',
      'run',
      '--scenario',
      'raft',
      '--seeds',
      '2',
      ...['--from', '1234567890', '--nodes', '3', '--seconds', '1', '-o', 'json'],
    ])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ scenario: 'raft', seeds: 2, failed: 0, failedSeeds: [] })
  })

  test('run --hours goes on in another process until so much virtual time has passed, ten seeds at a time', async () => {
    const args = [
      '--scenario',
      'raft',
      '--hours',
      '0.001',
      '--workers',
      '1',
      '--seconds',
      '1',
      '--nodes',
      '3',
    ]
    const { code, out } = await lab(['sim', 'run', ...args, '--from', '5', '-o', 'json'])
    expect(code).toBe(0)
    const { simulatedSeconds, ...rest } = JSON.parse(out) as { simulatedSeconds: number }
    expect(rest).toMatchObject({ scenario: 'raft', from: 5, seeds: 10, failed: 0 })
    expect(simulatedSeconds).toBeGreaterThan(9)
  })

  test('a worker whose campaign was killed ends at once, in the middle of its seed', async () => {
    const args = [LAB_BIN, 'sim', 'work', '--scenario', 'raft', '--seconds', '2000']
    const worker = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'] })
    const ended = once(worker, 'exit')
    try {
      worker.stdin.end('1 1\n') // As the kernel ends it with whoever held the other side.
      expect(await Promise.race([ended, sleep(10_000, 'is still at it', { ref: false })])).toEqual([0, null])
    } finally {
      worker.kill('SIGKILL')
    }
  })

  test('replay does the same again: one hash, a trace that lab trace check accepts, a history that lab check accepts', async () => {
    const trace = join(folder, 'trace.jsonl')
    const history = join(folder, 'history.jsonl')
    const args = ['sim', 'replay', '--seed', '4', '-o', 'json']
    const first = await lab([...args, '--trace', trace, '--history', history])
    const second = await lab(args)
    expect(first.code).toBe(0)
    expect(second.out).toBe(first.out)
    expect(JSON.parse(readFileSync(trace, 'utf8').split('\n')[0] ?? '')).toMatchObject({
      v: 1,
      seed: 4,
      start: 0,
    })
    expect((await lab(['trace', 'check', trace])).code).toBe(0)
    expect((await lab(['check', history])).code).toBe(0)
  })

  test('what does not fail is not shrunk', async () => {
    expect(await lab(['sim', 'shrink', '--seed', '4'])).toMatchObject({
      code: 0,
      out: 'seed 4 does not fail\n',
    })
  })

  test.each([
    [['sim', 'replay'], /--seed 17/],
    [['sim', 'replay', '--plan', join(folder, 'none')], /cannot be read as a plan/],
    [['sim', 'run', '--scenario', 'mystery'], /kv, kv-all, raft, groups/],
    [['sim', 'run', '--seeds', '-1'], /number/],
  ])('%j is refused: exit 2', async (args, why) => {
    const { code, talk } = await lab(args)
    expect(code).toBe(2)
    expect(talk).toMatch(why)
  })
})

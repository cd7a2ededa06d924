import { RaftError } from '@lab/raft'
import { expect, test } from 'vitest'
import { ExitCode, exitCodeOf } from '../src/exit-codes.ts'
import { formatError, formatRow, formatRows, jsonBytes, printable } from '../src/output.ts'
import { parseCount, parseDuration, parseMembers } from '../src/parse.ts'
import { oneLine } from '../src/width.ts'
import { lab, matching } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

test('members are read, and what is no member is refused with what is accepted', () => {
  expect(parseMembers('n1=tcp://a:1, n2=b:2')).toEqual({ n1: 'tcp://a:1', n2: 'b:2' })
  expect(() => parseMembers('n1')).toThrow(/named ID=ADDRESS.*not "n1"/)
  expect(() => parseMembers('n1=')).toThrow(/ID=ADDRESS/)
  expect(() => parseMembers('n1=a:1,n1=b:1')).toThrow(/names n1 twice/)
})

test('a time has a unit: a bare number would be seconds to one and milliseconds to another', () => {
  expect(['250ms', '1.5s', '2m'].map(parseDuration)).toEqual([250, 1500, 120_000])
  for (const text of ['', '0', '40', '-1s', '5h', 's'])
    expect(() => parseDuration(text)).toThrow(/500ms, 5s or 2m/)
})

test('a count is a whole number from 1 on', () => {
  expect(parseCount('5')).toBe(5)
  for (const text of ['0', '1.5', '-3', 'many', '', '1000001'])
    expect(() => parseCount(text)).toThrow(/from 1 to 1000000/)
})

test('a write of unknown outcome has an exit code of its own, whatever the reason', () => {
  expect(exitCodeOf(new RaftError('TIMEOUT', '', { outcome: 'unknown' }))).toBe(ExitCode.outcomeUnknown)
  expect(exitCodeOf(new RaftError('TIMEOUT', '', { outcome: 'not-applied' }))).toBe(ExitCode.unavailable)
  expect(exitCodeOf(new RaftError('CLOSED', '', { outcome: 'unknown' }))).toBe(ExitCode.outcomeUnknown)
  expect(exitCodeOf(new RaftError('UNAUTHORISED', ''))).toBe(ExitCode.unauthorised)
  expect(exitCodeOf(new Error('whatever'))).toBe(ExitCode.failure)
})

test('an error in JSON is JSON, with code and outcome', () => {
  const error = new RaftError('TIMEOUT', 'no answer', { outcome: 'unknown' })
  expect(JSON.parse(formatError(error, 'json'))).toEqual({
    error: { code: 'TIMEOUT', message: 'no answer', outcome: 'unknown' },
  })
  expect(formatError(error, 'table')).toBe('lab: no answer — it may have been applied, or may yet be')
})

test('a list is a table, a document, a document a line, or values between tabs', () => {
  const rows = [
    { node: 'n1', term: 12 },
    { node: 'node2', term: null },
  ]
  expect(formatRows(rows, 'table')).toBe('NODE   TERM\nn1     12\nnode2  -\n')
  expect(JSON.parse(formatRows(rows, 'json'))).toEqual(rows)
  expect(
    formatRows(rows, 'jsonl')
      .split('\n')
      .slice(0, 2)
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(rows)
  expect(formatRows(rows, 'raw')).toBe('n1\t12\nnode2\t-\n')
  expect(formatRow({ revision: 3 }, 'table', 'ok')).toBe('ok\n')
})

test('columns stand below each other whatever the script, and a long text is cut', () => {
  expect(
    formatRows(
      [
        { key: '日本', n: 1 },
        { key: 'e\u0301', n: 2 },
      ],
      'table',
    ),
  ).toBe('KEY   N\n日本  1\ne\u0301     2\n')
  expect(oneLine('a\nb\tc')).toBe('a\\nb\\tc')
  expect([oneLine('whale', 5), oneLine('whales', 5), oneLine('日本語', 5)]).toEqual([
    'whale',
    'whal…',
    '日本…',
  ])
})

test('bytes that are not text are not bent into text', () => {
  expect(jsonBytes(Buffer.from('whale'))).toBe('whale')
  expect(jsonBytes(Uint8Array.of(0xff))).toEqual({ b64: '/w==' })
  expect(printable(Buffer.from('a\u001b[2Jb\n'))).toBe('a�[2Jb\n')
})

test('a mistyped command is exit code 2 and a suggestion; in JSON too', async () => {
  expect(await lab(['kv', 'gte', 'x'])).toMatchObject({
    code: 2,
    out: '',
    talk: matching(/Did you mean get/),
  })
  const { code, talk } = await lab(['kv', 'get', '-o', 'json'])
  expect(code).toBe(2)
  expect(JSON.parse(talk)).toMatchObject({
    error: { code: 'USAGE', message: matching(/missing.*key/) },
  })
  expect((await lab(['kv', 'get', 'k', '-o', 'xml'])).talk).toMatch(
    /Allowed choices are table, json, jsonl, raw/,
  )
})

test('help leads with examples and goes to standard output', async () => {
  for (const command of [[], ['kv'], ['server', 'kv'], ['up'], ['cluster', 'status'], ['trace', 'cols']]) {
    const { code, out, talk } = await lab([...command, '--help'])
    expect({ code, talk }).toEqual({ code: 0, talk: '' })
    expect(out).toMatch(/^Examples:\n {2}\S/)
  }
})

test('options of the command itself stand above those that all commands of the store have', async () => {
  const { out } = await lab(['kv', 'scan', '--help'])
  expect(out).toMatch(/^Options:[^]*--prefix[^]*^Which cluster[^]*--servers[^]*--tls-ca/m)
})

test('an address that no transport could dial is exit code 2; a server that is down is 4, and no get changed anything', async () => {
  for (const servers of ['', 'localhost', 'foo bar', 'http://x:1', 'localhost:99999'])
    expect(await lab(['kv', 'get', 'x', '--servers', servers])).toMatchObject({
      code: 2,
      talk: matching(/^lab: --servers/),
    })
  const down = ['x', '--servers', 'localhost:1', '--timeout', '100ms']
  const { code, talk } = await lab(['kv', 'get', ...down])
  expect(code).toBe(4)
  expect(talk).not.toContain('nothing was changed')
  expect((await lab(['kv', 'del', ...down])).talk).toContain('nothing was changed')
})

test('without a cluster in sight a command says how to name or start one', async () => {
  expect(await lab(['kv', 'get', 'x'], { cwd: temporaryFolder() })).toMatchObject({
    code: 2,
    talk: matching(/--servers.*lab up/),
  })
})

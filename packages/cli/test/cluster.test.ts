/** Real processes, real sockets, real files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readClusterFile } from '../src/local/cluster-file.ts'
import { holderOf } from '../src/local/holder.ts'
import { lab, matching } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

let cwd: string

beforeAll(async () => {
  cwd = temporaryFolder()
  expect(await lab(['up', '--detach'], { cwd })).toMatchObject({ code: 0, talk: '' })
})

afterAll(async () => {
  await lab(['down', '--wipe'], { cwd })
})

const kv = (...argv: string[]): ReturnType<typeof lab> => lab(['kv', ...argv], { cwd })

test('lab up --detach leaves a cluster that lab kv and lab cluster find without flags, also from a folder below', async () => {
  expect(await kv('put', 'ship', 'Pequod')).toMatchObject({ code: 0, talk: '' })
  expect(await kv('get', 'ship')).toEqual({ code: 0, out: 'Pequod\n', talk: '' })
  expect((await lab(['kv', 'get', 'ship'], { cwd: join(cwd, '.lab', 'data') })).out).toBe('Pequod\n')
  const { code, out } = await lab(['cluster', 'status', '-o', 'json'], { cwd })
  const rows = JSON.parse(out) as { node: string; role: string }[]
  expect({ code, nodes: rows.map(({ node }) => node) }).toEqual({ code: 0, nodes: ['n1', 'n2', 'n3'] })
  expect(rows.filter(({ role }) => role === 'leader')).toHaveLength(1)
})

test('a value comes from standard input and goes to standard output byte by byte', async () => {
  const input = 'two lines\nand no end'
  expect(await lab(['kv', 'put', 'text', '-'], { cwd, input })).toMatchObject({ code: 0 })
  expect((await kv('get', 'text', '-o', 'raw')).out).toBe(input)
})

test('append adds, del takes away, and a missing key is exit code 3 with a message on standard error', async () => {
  await kv('append', 'list', 'a')
  expect(await kv('append', 'list', 'b', '-o', 'json')).toMatchObject({
    out: matching(/"version":2/),
  })
  expect(JSON.parse((await kv('get', 'list', '-o', 'json')).out)).toMatchObject({ value: 'ab', version: 2 })
  expect((await kv('del', 'list')).code).toBe(0)
  const missing = { code: 3, out: '', talk: 'lab: there is no key "list"' }
  expect(await kv('del', 'list')).toEqual(missing)
  expect(await kv('get', 'list')).toEqual(missing)
})

test('a key that is too long, and a cluster of another name, are refused for what they are', async () => {
  expect(await kv('put', 'k'.repeat(5000), 'v')).toMatchObject({
    code: 2,
    talk: matching(/1 to 4096 bytes/),
  })
  expect(await kv('get', 'ship', '--cluster-id', 'other', '--timeout', '2s')).toMatchObject({
    code: 1,
    talk: matching(/of cluster lab, not other/),
  })
})

test('what was acknowledged is there after SIGKILL of every server at once', async () => {
  for (let n = 0; n < 5; n++) expect((await kv('append', 'log', `${n};`)).code).toBe(0)
  const { nodes } = readClusterFile(join(cwd, '.lab'))
  for (const { pid } of Object.values(nodes)) process.kill(pid, 'SIGKILL')
  for (const { data } of Object.values(nodes))
    await expect.poll(() => holderOf(data), { timeout: 5000 }).toBeNull()

  const gone = await kv('get', 'log', '--timeout', '500ms')
  expect(gone).toMatchObject({ code: 4, out: '' })

  expect((await lab(['up', '--detach'], { cwd })).code).toBe(0)
  expect((await kv('get', 'log')).out).toBe('0;1;2;3;4;\n')
  for (const { log } of Object.values(nodes)) expect(readFileSync(log, 'utf8')).toBe('')
})

test('lab up refuses to start twice, lab down stops and says whom, and does no harm twice', async () => {
  expect(await lab(['up', '--detach'], { cwd })).toMatchObject({
    code: 1,
    talk: matching(/n1 runs already/),
  })
  expect(await lab(['up', '--nodes', '5'], { cwd })).toMatchObject({
    code: 2,
    talk: matching(/has 3 servers/),
  })
  expect(await lab(['down'], { cwd })).toMatchObject({ code: 0, talk: 'stopped n1 n2 n3; the data stay' })
  expect(await lab(['down'], { cwd })).toMatchObject({ code: 0, talk: 'nothing ran; the data stay' })
})

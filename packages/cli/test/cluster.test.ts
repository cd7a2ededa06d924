/** Real processes, real sockets, real files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readClusterFile } from '../src/local/cluster-file.ts'
import { holderOf } from '../src/local/holder.ts'
import { freePorts } from '../src/local/ports.ts'
import { startServerProcess } from '../src/local/server-process.ts'
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

test('cas sets what is as expected; a comparison lost is exit code 3 and says what is there', async () => {
  expect((await kv('cas', 'lock', 'a', '--version', '0')).code).toBe(0)
  const lost = await kv('cas', 'lock', 'b', '--version', '0')
  expect(lost).toMatchObject({
    code: 3,
    out: '',
    talk: matching(/"lock" is not as expected: it has version 1/),
  })
  const { version } = JSON.parse((await kv('get', 'lock', '-o', 'json')).out) as { readonly version: number }
  const told = await kv('cas', 'lock', 'b', '--version', '7', '-o', 'json')
  expect(JSON.parse(told.talk)).toMatchObject({ error: { code: 'CONFLICT', key: 'lock', version } })
  const next = await kv('cas', 'lock', 'b', '--version', String(version), '-o', 'json')
  expect(JSON.parse(next.out)).toMatchObject({ version: version + 1 })
  expect((await kv('cas', 'lock', 'b')).code).toBe(2)
})

test('scan prints keys in order, in every format, and watch the changes since a revision', async () => {
  for (const n of [3, 1, 2]) await kv('put', `s/${n}`, `v${n}`)
  expect((await kv('scan', '--prefix', 's/', '-o', 'raw', '--keys')).out).toBe('s/1\ns/2\ns/3\n')
  const rows = JSON.parse((await kv('scan', '--prefix', 's/', '--limit', '2', '-o', 'json')).out) as object[]
  expect(rows).toMatchObject([
    { key: 's/1', value: 'v1', version: 1 },
    { key: 's/2', value: 'v2' },
  ])
  expect((await kv('scan', '--from', 's/2', '--to', 's/3')).out).toMatch(
    /^KEY +VALUE +VERSION +REVISION\ns\/2 +v2/,
  )
  await kv('del', 's/3')
  const { out, code } = await kv('watch', '--prefix', 's/', '--after', '0', '--count', '4', '-o', 'jsonl')
  const events = out.trim().split('\n')
  expect(code).toBe(0)
  expect(events.map((line) => JSON.parse(line) as object)).toMatchObject([
    { type: 'put', key: 's/3', value: 'v3' },
    { type: 'put', key: 's/1' },
    { type: 'put', key: 's/2' },
    { type: 'delete', key: 's/3' },
  ])
})

test('an interrupted watch tells where to go on, and ends with 130', async () => {
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 500)
  const { code, talk } = await lab(['kv', 'watch', 'quiet'], { cwd, signal: stop.signal })
  expect({ code, talk }).toEqual({
    code: 130,
    talk: matching(/^0 changes; go on with: lab kv watch --after \d+/),
  })
})

test('txn does one branch, tells the results, and is exit code 3 when it is the other', async () => {
  await kv('put', 'from', '10')
  const transfer = JSON.stringify({
    if: [{ key: 'from', value: '10' }],
    then: [
      { op: 'put', key: 'from', value: '0' },
      { op: 'get', key: 'from' },
    ],
    else: [{ op: 'get', key: 'from' }],
  })
  const first = await kv('txn', transfer, '-o', 'json')
  expect(first.code).toBe(0)
  expect(JSON.parse(first.out)).toMatchObject({
    succeeded: true,
    results: [{ status: 'written' }, { status: 'got', entry: { value: '0' } }],
  })
  expect(await kv('txn', transfer)).toMatchObject({ code: 3, out: matching(/^did else/) })
  expect((await kv('txn', '{"when":[]}')).code).toBe(2)
})

test('repl takes a command a line over one connection, and goes on after one that fails', async () => {
  const input = `put 'a key' "two words"\nget 'a key'\nget nothing\nnonsense\nappend 'a key' !\nget 'a key'\nexit\nget never`
  const { code, out, talk } = await lab(['kv', 'repl'], { cwd, input })
  expect(code).toBe(0)
  expect(out).toMatch(/^ok, revision \d+, version 1\ntwo words\nok, revision \d+, version 2\ntwo words!\n$/)
  expect(talk).toMatch(/there is no key "nothing"\nlab: unknown command 'nonsense'/)
})

test('a key put with a time to live goes by itself', async () => {
  await kv('put', 'brief', 'x', '--ttl', '300ms')
  expect((await kv('get', 'brief')).code).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect((await kv('get', 'brief')).code).toBe(3)
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
  // A machine with much to do may hold them up; of their data they have nothing to tell.
  for (const { log } of Object.values(nodes))
    expect(readFileSync(log, 'utf8')).not.toMatch(/Z (?:warn|error) (?!.*the event loop stood still)/)
})

test('lab cluster backup and restore begin another cluster with the same state; recover asks before it does anything', async () => {
  await kv('put', 'kept', 'in the file')
  const file = join(cwd, 'kv.backup')
  expect(await lab(['cluster', 'backup', file], { cwd })).toMatchObject({ code: 0, talk: '' })
  const first = readFileSync(file)
  expect(await lab(['cluster', 'backup', file], { cwd })).toMatchObject({
    ...{ code: 2, out: '', talk: matching(/is there already.*another name, or remove it/) },
  })
  expect(readFileSync(file).equals(first)).toBe(true)
  const [port = 0] = await freePorts(1)
  const folder = join(cwd, 'restored')
  const members = { m1: `tcp://127.0.0.1:${String(port)}` }
  const into = ['--id', 'm1', '--members', `m1=${members.m1}`, '--data', folder]
  const same = await lab(['cluster', 'restore', file, ...into], { cwd })
  expect(same).toMatchObject({ code: 2, talk: matching(/--cluster-id must be another than lab/) })
  const restored = await lab(['cluster', 'restore', file, ...into, '--cluster-id', 'second'], { cwd })
  expect(restored).toMatchObject({ code: 0, talk: '' })
  const again = await lab(['cluster', 'restore', file, ...into, '--cluster-id', 'second'], { cwd })
  expect(again).toMatchObject({ code: 2, talk: matching(/holds data already/) })

  const recover = ['cluster', 'recover', '--id', 'm1', '--data', folder, '--cluster-id', 'second']
  const asked = await lab(recover, { cwd })
  expect(asked).toMatchObject({ code: 1, out: '', talk: matching(/lost.*nothing was changed: give --yes/s) })
  expect(await lab([...recover, '--yes'], { cwd })).toMatchObject({
    code: 0,
    out: matching(/the cluster is m1/),
  })

  const log = join(cwd, 'm1.log')
  const server = startServerProcess({ id: 'm1', members, clusterId: 'second', data: folder, log })
  await server.ready
  const get = ['kv', 'get', 'kept', '--servers', members.m1, '--cluster-id', 'second']
  expect(await lab(get, { cwd })).toEqual({ code: 0, out: 'in the file\n', talk: '' })
  server.kill('SIGTERM')
  await server.exited
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

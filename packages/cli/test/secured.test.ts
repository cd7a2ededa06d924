/** Three servers from one cluster file, over TLS, with tokens by role and admin ports: what docs/operations.md describes. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { get } from 'node:https'
import { Readable } from 'node:stream'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Clerk } from '@lab/kvraft/clerk'
import { seededRandom } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { LAB_BIN } from '../src/own-files.ts'
import { freePorts } from '../src/local/ports.ts'
import { lab, matching, type Ran } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'
import { rubbish } from './hostile/attacks.ts'

const IDS = ['m1', 'm2', 'm3']
const folder = temporaryFolder()
const inFolder = (...names: string[]): string => join(folder, ...names)

interface Running {
  readonly id: string
  readonly process: ChildProcess
  readonly row: { readonly address: string; readonly admin: string; readonly members: readonly string[] }
  readonly exited: Promise<number | null>
  log(): string
}

const running = new Map<string, Running>()
let servers = ''

/** Starts it from the cluster file alone, as an init system would. */
async function start(id: string): Promise<Running> {
  // The first one's admin port can be reached from elsewhere: it is HTTPS, and wants an admin's token.
  const adminAt = id === 'm1' ? '0.0.0.0:0' : '0'
  const argv = [
    'server',
    '--config',
    inFolder('lab.json'),
    '--id',
    id,
    '--data',
    inFolder('data', id),
    '-o',
    'json',
  ]
  const child = spawn(process.execPath, [LAB_BIN, ...argv, '--admin', adminAt, '--while-stdin'])
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()))
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const line = await Promise.race([
    new Promise<string>((resolve) => child.stdout.once('data', (data: Buffer) => resolve(data.toString()))),
    exited.then(() => {
      throw new Error(log)
    }),
  ])
  const row = JSON.parse(line) as Running['row']
  const server = { id, process: child, row, exited, log: () => log }
  running.set(id, server)
  return server
}

beforeAll(async () => {
  const certs = inFolder('certs')
  expect(await lab(['cert', 'ca', '--out', certs])).toMatchObject({ code: 0, talk: '' })
  for (const id of [...IDS, 'm9'])
    expect(await lab(['cert', 'node', id, '--out', certs])).toMatchObject({ code: 0, talk: '' })
  for (const role of ['peer', 'client', 'admin'])
    writeFileSync(inFolder(`${role}.token`), `${role}-secret\nlast-weeks-${role}-secret\n`)
  const ports = await freePorts(3)
  const nodes = Object.fromEntries(IDS.map((id, i) => [id, `tls://localhost:${String(ports[i])}`]))
  servers = Object.values(nodes).join(',')
  const tls = { ca: 'certs/ca.pem', cert: 'certs/{id}.pem', key: 'certs/{id}.key' }
  const tokens = { peer: 'peer.token', client: 'client.token', admin: 'admin.token' }
  writeFileSync(inFolder('lab.json'), JSON.stringify({ cluster: 'prod', nodes, tls, tokens, log: 'json' }))
  await Promise.all(IDS.map(start))
}, 60_000)

afterAll(() => {
  for (const { process } of running.values()) process.kill('SIGKILL')
})

interface As {
  readonly token?: string
  readonly ca?: string
  readonly at?: string
}

/** A command of somebody who trusts the authority and has the token of `role`. */
function as(
  { token = 'client-secret', ca = inFolder('certs', 'ca.pem'), at = servers }: As,
  ...argv: string[]
): Promise<Ran> {
  const flags = ['--servers', at, '--cluster-id', 'prod', '--tls-ca', ca, '--timeout', '20s']
  return lab([...argv, ...flags], { env: token === '' ? {} : { LAB_TOKEN: token }, cwd: folder })
}

const admin = { token: 'admin-secret' }

test('commands work over TLS with the token of their role, an old one too', async () => {
  expect(await as({}, 'kv', 'put', 'ship', 'Pequod')).toMatchObject({ code: 0, talk: '' })
  expect(await as({ token: 'last-weeks-client-secret' }, 'kv', 'get', 'ship')).toMatchObject({
    out: 'Pequod\n',
  })
  expect(await as(admin, 'kv', 'get', 'ship')).toMatchObject({ out: 'Pequod\n' })
  expect(await as({}, 'cluster', 'status')).toMatchObject({ code: 0, talk: '' })
  for (const command of ['members', 'health'])
    expect(await as({}, 'cluster', command)).toMatchObject({ code: 0, talk: '' })
})

test('without a token, with a wrong one, or with one of another role a command ends with exit code 6', async () => {
  for (const token of ['', 'wrong', 'peer-secret'])
    expect(await as({ token }, 'kv', 'get', 'ship')).toMatchObject({
      code: 6,
      out: '',
      talk: matching(/token/),
    })
  expect(await as({}, 'cluster', 'transfer-leader')).toMatchObject({ code: 6, talk: matching(/token/) })
})

test('a server whose certificate is of somebody else’s authority is not talked to: exit code 6', async () => {
  await lab(['cert', 'ca', '--out', inFolder('others')])
  const ran = await as({ ca: inFolder('others', 'ca.pem') }, 'kv', 'get', 'ship')
  expect(ran).toMatchObject({ code: 6, talk: matching(/certificate at tls:.* is not trusted/) })
})

test('a server with another node’s certificate is refused by the others', async () => {
  const log = inFolder('impostor.json')
  const file = JSON.parse(readFileSync(inFolder('lab.json'), 'utf8')) as { nodes: object }
  const [port] = await freePorts(1)
  const nodes = { ...file.nodes, m3: `tls://localhost:${String(port)}` }
  const tls = { ca: 'certs/ca.pem', cert: 'certs/m9.pem', key: 'certs/m9.key' }
  writeFileSync(log, JSON.stringify({ ...file, nodes, tls }))
  const child = spawn(process.execPath, [
    ...[LAB_BIN, 'server', '--config', log, '--id', 'm3', '--data', inFolder('data', 'impostor')],
  ])
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const metrics = async (): Promise<string> =>
    (await fetch(`${running.get('m2')?.row.admin ?? ''}/metrics`)).text()
  await expect.poll(metrics, { timeout: 20_000 }).toMatch(/lab_rpc_connections_refused_total [1-9]/)
  child.kill('SIGKILL')
  expect(await as({}, 'kv', 'get', 'ship')).toMatchObject({ out: 'Pequod\n' })
})

test('the admin port tells of health, metrics and what happened last', async () => {
  const server = running.get('m2')
  expect(await as(admin, 'cluster', 'transfer-leader', 'm2')).toMatchObject({ code: 0 })
  expect(await as({}, 'kv', 'put', 'ship', 'Pequod')).toMatchObject({ code: 0 })
  expect(await as({ at: server?.row.address ?? '' }, 'kv', 'get', 'ship')).toMatchObject({ code: 0 })
  const at = server?.row.admin ?? ''
  expect(at).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const ask = async (path: string): Promise<string> => {
    const response = await fetch(at + path)
    return `${response.status} ${await response.text()}`
  }
  expect(await ask('/livez')).toBe('200 ok\n')
  expect(await ask('/readyz?verbose')).toMatch(
    /^200 \[\+\] running\n\[\+\] kv-leader\n\[\+\] kv-applied\nready\n$/,
  )
  const metrics = await ask('/metrics')
  for (const line of [
    /^# TYPE lab_raft_proposals_committed_total counter$/m,
    /^lab_raft_has_leader\{group="kv"\} 1$/m,
    /^lab_raft_wal_fsync_duration_seconds_bucket\{group="kv",le="\+Inf"\} [1-9]\d*$/m,
    /^lab_kv_request_duration_seconds_bucket\{group="kv",op="put",outcome="ok",le="\+Inf"\} [1-9]\d*$/m,
    /^lab_kv_request_duration_seconds_count\{group="kv",op="get",outcome="ok"\} [1-9]\d*$/m,
    /^lab_kv_request_duration_seconds_count\{group="kv",op="session",outcome="ok"\} [1-9]\d*$/m,
    /^process_resident_memory_bytes \d+$/m,
  ])
    expect(metrics).toMatch(line)
  expect(await ask('/debug/trace')).toMatch(
    /^200 \{"v":1,"what":"the last of m2".*\n(?:\{"i":\d+,.*\n)*.*"k":"role"/,
  )
  expect(await ask('/debug/trace?last=soon')).toMatch(/^400 last is a time/)
  expect(await ask('/elsewhere')).toMatch(/^404 \/livez/)
})

test('an admin port that other machines reach is HTTPS, and tells all but its health to admins only', async () => {
  const at = running.get('m1')?.row.admin ?? ''
  expect(at).toMatch(/^https:\/\/0\.0\.0\.0:\d+$/)
  const status = async (path: string, authorization?: string): Promise<string> => {
    const ca = readFileSync(inFolder('certs', 'ca.pem'))
    const asked = get(at.replace('0.0.0.0', 'localhost') + path, {
      ...{ ca, agent: false, headers: authorization === undefined ? {} : { authorization } },
    })
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return `${String(response.statusCode)} ${await new Response(Readable.toWeb(response) as ReadableStream).text()}`
  }
  expect(await status('/livez')).toBe('200 ok\n')
  expect(await status('/readyz')).toBe('200 ok\n')
  for (const refused of [undefined, 'Bearer ', 'Bearer wrong', 'Bearer client-secret', 'Basic admin-secret'])
    for (const path of ['/metrics', '/debug/trace', '/'])
      expect(await status(path, refused)).toBe('401 an admin token is needed\n')
  for (const token of ['admin-secret', 'last-weeks-admin-secret'])
    expect(await status('/metrics', `Bearer ${token}`)).toMatch(/^200 # HELP/)
  expect(await status('//', 'Bearer admin-secret')).toMatch(/^404/)
})

test('rubbish at the encrypted admin port, encrypted too, harms nobody else', async () => {
  const server = running.get('m1')
  const ca = readFileSync(inFolder('certs', 'ca.pem'), 'utf8')
  const ports = { tls: Number(new URL(server?.row.admin ?? '').port) }
  const random = seededRandom(3)
  for (let round = 0; round < 10; round++)
    await Promise.all(Array.from({ length: 6 }, () => rubbish({ ports, ca }, 'tls', random)))
  expect(await as({}, 'kv', 'put', 'ship', 'Pequod')).toMatchObject({ code: 0 })
  expect(server?.process.exitCode).toBeNull()
  expect(server?.log()).not.toMatch(/bug:|Error:|unhandled/i)
})

test('SIGHUP makes a server read its certificate anew, and damaged files leave the old one in use', async () => {
  const server = running.get('m1')
  const serialAt = async (url: string): Promise<string> => {
    const socket = connect({ port: Number(new URL(url).port), ca: readFileSync(inFolder('certs', 'ca.pem')) })
    await once(socket, 'secureConnect')
    const { serialNumber } = socket.getPeerCertificate()
    socket.destroy()
    return serialNumber
  }
  // The admin port renews what it shows with the port of clients and peers.
  const serial = async (): Promise<string> => {
    const { address = '', admin = '' } = server?.row ?? {}
    const [at, adminAt] = [await serialAt(address), await serialAt(admin)]
    return at === adminAt ? at : `${at} and ${adminAt}`
  }
  const old = await serial()
  expect(await lab(['cert', 'node', 'm1', '--out', inFolder('certs')])).toMatchObject({ code: 0 })
  server?.process.kill('SIGHUP')
  await expect.poll(serial, { timeout: 20_000 }).not.toContain(old)
  const renewed = await serial()
  const pem = readFileSync(inFolder('certs', 'm1.pem'))
  writeFileSync(inFolder('certs', 'm1.pem'), 'damaged')
  server?.process.kill('SIGHUP')
  await expect.poll(() => server?.log(), { timeout: 20_000 }).toMatch(/the old certificates stay in use/)
  expect(await serial()).toBe(renewed)
  writeFileSync(inFolder('certs', 'm1.pem'), pem)
})

test('SIGTERM hands leadership over, ends with exit code 0, and the log is JSON', async () => {
  const status = await as({}, 'cluster', 'status', '-o', 'json')
  const rows = JSON.parse(status.out) as readonly { readonly node: string; readonly role: string }[]
  const leader = running.get(rows.find(({ role }) => role === 'leader')?.node ?? '')
  leader?.process.kill('SIGTERM')
  expect(await leader?.exited).toBe(0)
  const lines = (leader?.log() ?? '')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  for (const line of lines) expect(Object.keys(line)).toEqual(['time', 'level', 'node', 'message'])
  expect(lines.map(({ message }) => message)).toEqual(
    expect.arrayContaining([
      'stopping: by a signal',
      expect.stringMatching(/^kv: leadership handed over to m\d$/),
    ]),
  )
  expect(await as({}, 'kv', 'get', 'ship')).toMatchObject({ out: 'Pequod\n' })
  await start(leader?.id ?? '')
})

test('a rolling restart, one server after the other once all is well, fails no write and loses none', async () => {
  const transport = tcp({ tls: { ca: readFileSync(inFolder('certs', 'ca.pem')) } })
  const kv = await Clerk.connect({
    ...{ servers: servers.split(','), clusterId: 'prod', transport, token: 'client-secret', timeout: 30_000 },
  })
  let isOver = false
  let written = 0
  const writing = (async () => {
    for (; !isOver; written++) await kv.append('log', `${String(written)} `)
  })()
  for (const id of IDS) {
    const server = running.get(id)
    server?.process.kill('SIGTERM')
    expect(await server?.exited).toBe(0)
    await start(id)
    await expect.poll(async () => (await as({}, 'cluster', 'health')).code, { timeout: 30_000 }).toBe(0)
  }
  isOver = true
  await writing
  expect(written).toBeGreaterThan(10)
  expect(await kv.getText('log')).toBe(Array.from({ length: written }, (_, n) => `${String(n)} `).join(''))
  await kv.close()
}, 120_000)

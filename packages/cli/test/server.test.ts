/** One server as a process: how it starts, what it refuses, how it ends. */
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { LAB_BIN } from '../src/own-files.ts'
import { freePorts } from '../src/local/ports.ts'
import { startServerProcess, type ServerProcess } from '../src/local/server-process.ts'
import { lab } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

interface Place {
  readonly folder: string
  readonly address: string
}

async function place(): Promise<Place> {
  const [port] = await freePorts(1)
  return { folder: temporaryFolder(), address: `tcp://127.0.0.1:${port}` }
}

interface Overrides {
  readonly id?: string
  readonly clusterId?: string
  readonly more?: readonly string[]
}

function start(
  { folder, address }: Place,
  { id = 'n1', clusterId = 'lab', more = [] }: Overrides = {},
): ServerProcess {
  const log = join(folder, `${id}.log`)
  return startServerProcess({
    id,
    members: { [id]: address },
    clusterId,
    data: join(folder, 'data'),
    log,
    more,
  })
}

async function killed(server: ServerProcess): Promise<void> {
  server.kill('SIGKILL')
  await server.exited
}

test('SIGTERM ends a server with exit code 0 and a trace that tells its life', async () => {
  const at = await place()
  const trace = join(at.folder, 'n1.jsonl')
  const server = start(at, { more: ['--trace', trace, '--trace-kinds', 'start,role,stop'] })
  await server.ready
  expect((await lab(['kv', 'put', 'k', 'v', '--servers', at.address])).code).toBe(0)
  server.kill('SIGTERM')
  expect(await server.exited).toBe('exit code 0')
  const { code, out } = await lab(['trace', 'cols', at.folder])
  expect(code).toBe(0)
  expect(out).toMatch(/seconds │ n1\n.*starts.*\n[^]*leader, term 1[^]*stops/)
})

test('a server ends with the process that started it, when told to: its standard input ends', async () => {
  const at = await place()
  const members = `n1=${at.address}`
  const argv = [
    'server',
    'kv',
    '--id',
    'n1',
    '--members',
    members,
    '--data',
    join(at.folder, 'data'),
    '--while-stdin',
  ]
  const child = spawn(process.execPath, [LAB_BIN, ...argv], { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = await new Promise<string>((resolve) =>
    child.stdout.once('data', (data) => resolve(String(data))),
  )
  expect(line).toMatch(
    /^n1 serves at tcp:\/\/127\.0\.0\.1:\d+ · cluster lab of n1 · data in .* · process \d+\n$/,
  )
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.stdin.end()
  expect(await exited).toBe(0)
})

test('a folder in use is refused with who uses it, and the server in it goes on', async () => {
  const at = await place()
  const first = start(at)
  await first.ready
  const second = start({ ...at, address: (await place()).address })
  await expect(second.ready).rejects.toThrow(new RegExp(`in use by process ${first.pid}`))
  expect(await second.exited).toBe('exit code 1')
  expect((await lab(['kv', 'put', 'k', 'v', '--servers', at.address])).code).toBe(0)
  await killed(first)
})

test("another node's folder, another cluster's and a damaged one are refused with what to do", async () => {
  const at = await place()
  const first = start(at)
  await first.ready
  for (let n = 0; n < 3; n++) await lab(['kv', 'put', `k${n}`, 'v'.repeat(100), '--servers', at.address])
  await killed(first)

  // One after the other: side by side, the lock might refuse one of them first.
  for (const { other, named } of [
    { other: { id: 'n2' }, named: /n1/ },
    { other: { clusterId: 'other' }, named: /lab/ },
  ]) {
    const server = start(at, other)
    expect(await server.exited).toBe('exit code 1')
    await expect(server.ready).rejects.toThrow(named)
  }

  damageFirstBatch(join(at.folder, 'data'))
  const damaged = start(at)
  expect(await damaged.exited).toBe('exit code 1')
  await expect(damaged.ready).rejects.toThrow(/offset|byte/)
})

test('an address in use is refused by name', async () => {
  const at = await place()
  const port = Number(new URL(at.address).port)
  const holder = createServer().listen(port, '127.0.0.1')
  const server = start(at)
  await expect(server.ready).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port}`))
  expect(await server.exited).toBe('exit code 1')
  holder.close()
})

/** Flips a byte of the log far before its end. */
function damageFirstBatch(data: string): void {
  const [segment] = filesBelow(data)
    .map((path) => ({ path, bytes: readFileSync(path) }))
    .filter(({ bytes }) => bytes.includes('vvvv'))
  if (segment === undefined) throw new Error('no file holds what was put')
  const at = segment.bytes.indexOf('vvvv')
  segment.bytes[at] = 0x58
  writeFileSync(segment.path, segment.bytes)
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

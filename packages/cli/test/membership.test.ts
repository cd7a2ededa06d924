/** Changing a cluster of real processes from the command line: the recipes of docs/operations. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readClusterFile } from '../src/local/cluster-file.ts'
import { holderOf } from '../src/local/holder.ts'
import { freePorts } from '../src/local/ports.ts'
import { startServerProcess, type ServerProcess } from '../src/local/server-process.ts'
import { lab, matching } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

let cwd: string
const started: ServerProcess[] = []

beforeAll(async () => {
  cwd = temporaryFolder()
  expect(await lab(['up', '--detach'], { cwd })).toMatchObject({ code: 0, talk: '' })
})

afterAll(async () => {
  for (const server of started) server.kill('SIGKILL')
  await lab(['down', '--wipe'], { cwd })
})

const cluster = (...argv: string[]): ReturnType<typeof lab> => lab(['cluster', ...argv], { cwd })
/** What it said is compared too, so that a failure shows it. */
const succeeds = async (...argv: string[]): Promise<void> =>
  expect(await cluster(...argv)).toMatchObject({ code: 0, talk: '' })
const nodes = () => readClusterFile(join(cwd, '.lab')).nodes

interface Member {
  readonly node: string
  readonly vote: string
}

async function members(): Promise<string[]> {
  const { out } = await cluster('members', '-o', 'json')
  return (JSON.parse(out) as Member[]).map(({ node, vote }) => `${node} ${vote}`)
}

/** A server that waits to be added, at `address`. */
async function joining(id: string, data: string, address: string): Promise<void> {
  const some = Object.values(nodes()).map((node) => node.address)
  const server = startServerProcess({
    id,
    members: {},
    clusterId: 'lab',
    data,
    log: join(cwd, `${id}.log`),
    more: ['--listen', address, '--join', ...some],
  })
  started.push(server)
  await server.ready
}

async function newAddress(): Promise<string> {
  const [port] = await freePorts(1)
  return `tcp://127.0.0.1:${String(port)}`
}

test('a dead member is replaced by another server, and nothing written is lost', async () => {
  expect(await lab(['kv', 'put', 'ship', 'Pequod'], { cwd })).toMatchObject({ code: 0, talk: '' })
  const dead = nodes()['n2']
  process.kill(dead?.pid ?? 0, 'SIGKILL')
  await expect.poll(() => holderOf(dead?.data ?? ''), { timeout: 5000 }).toBeNull()
  expect(await cluster('health')).toMatchObject({ code: 1, talk: matching(/n2: down/) })

  const address = await newAddress()
  expect(await cluster('add', `n4=${address}`)).toMatchObject({ code: 4, talk: matching(/start n4 first/) })
  await joining('n4', join(cwd, 'n4'), address)
  await succeeds('add', `n4=${address}`, '--learner')
  expect(await members()).toEqual(['n1 voter', 'n2 voter', 'n3 voter', 'n4 learner'])
  await succeeds('promote', 'n4')
  await succeeds('remove', 'n2')
  expect(await members()).toEqual(['n1 voter', 'n3 voter', 'n4 voter'])
  await succeeds('health')
  expect(await lab(['kv', 'get', 'ship', '--servers', address], { cwd })).toMatchObject({ out: 'Pequod\n' })
})

test('a server that lost its disk comes back under its name, once it was removed', async () => {
  const { data = '', address = '' } = nodes()['n2'] ?? {}
  rmSync(data, { recursive: true })
  await joining('n2', data, address)
  await succeeds('add', `n2=${address}`)
  expect(await members()).toEqual(['n1 voter', 'n3 voter', 'n4 voter', 'n2 voter'])
})

test('leadership goes where it is wanted, and strangers and typos are told as such', async () => {
  for (const id of ['n1', 'n3'])
    expect(await cluster('transfer-leader', id)).toMatchObject({
      code: 0,
      talk: '',
      out: matching(new RegExp(`^${id} leads`)),
    })
  expect(await cluster('remove', 'n9')).toMatchObject({ code: 3, talk: matching(/n9 is no member/) })
  expect(await cluster('transfer-leader', 'n9')).toMatchObject({ code: 2, talk: matching(/n9 is no voter/) })
  expect(await cluster('remove', 'n1', 'n2', 'n3', 'n4')).toMatchObject({ code: 2 })
  expect(await cluster('remove', 'n1', '--if-index', '1')).toMatchObject({
    code: 3,
    talk: matching(/not of 1/),
  })
})

/** A sharded store over mutual TLS with tokens by role: what operators and clients need to show, and that shards move between groups. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tcp } from '@lab/rpc/tcp'
import { Clerk } from '@lab/shardkv'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { lab, matching, type Ran } from './fake-io.ts'
import { RealMachines } from './real-machines.ts'

const KEYS = ['ada', 'bob', 'eve', 'ida']
let machines: RealMachines

beforeAll(async () => {
  machines = await RealMachines.prepare({
    ...{ ids: ['m1', 'm2'], scheme: 'tls', cluster: 'prod', shards: 8, groups: { 100: ['m1', 'm2'] } },
    tls: { ca: 'certs/ca.pem', cert: 'certs/{id}.pem', key: 'certs/{id}.key', clients: 'all' },
    tokens: { peer: 'peer.token', client: 'client.token', admin: 'admin.token' },
  })
  for (const role of ['peer', 'client', 'admin']) writeFileSync(inFolder(`${role}.token`), `${role}-secret\n`)
  const certs = ['--out', inFolder('certs')]
  for (const argv of [['ca'], ['node', 'm1'], ['node', 'm2'], ['client', 'ops']])
    expect(await lab(['cert', ...argv, ...certs])).toMatchObject({ code: 0, talk: '' })
  await machines.startAll()
})

afterAll(() => machines.servers.killAll())

function inFolder(...names: string[]): string {
  return join(machines.servers.folder, ...names)
}

const CERTIFICATE = ['--tls-cert', 'ops.pem', '--tls-key', 'ops.key']

/** A command of somebody with the token of `role`. */
function as(role: string, argv: readonly string[], certificate = CERTIFICATE): Promise<Ran> {
  const files = certificate.map((name) => (name.startsWith('-') ? name : inFolder('certs', name)))
  const tls = ['--tls-ca', inFolder('certs', 'ca.pem'), ...files]
  return machines.lab(...argv, ...tls, '--token-file', inFolder(`${role}.token`))
}

test('keys are written, shards move to a group that joins, and all of it is backed up, by those who may', async () => {
  for (const key of KEYS)
    expect(await as('client', ['kv', 'put', key, `of ${key}`])).toMatchObject({ code: 0, talk: '' })
  expect(await as('client', ['shard', 'join', '101', '--on', 'm1,m2'])).toMatchObject({
    code: 6,
    talk: matching(/token/),
  })
  expect(await as('admin', ['shard', 'join', '101', '--on', 'm1,m2'])).toMatchObject({ code: 0, talk: '' })
  for (const key of KEYS) expect((await as('client', ['kv', 'get', key])).out).toBe(`of ${key}\n`)
  const { out } = await as('client', ['shard', 'status', '-o', 'json'])
  const states = JSON.parse(out) as { readonly group: number; readonly state: string }[]
  expect(states.map(({ group, state }) => `${String(group)} ${state}`).sort()).toEqual([
    ...Array.from({ length: 4 }, () => '100 serving'),
    ...Array.from({ length: 4 }, () => '101 serving'),
  ])
  expect(await as('admin', ['cluster', 'backup', 'kept'])).toMatchObject({
    code: 0,
    talk: matching(/8 shards of cluster prod at configuration 2/),
  })
  expect(await as('admin', ['shard', 'drain', 'm1'])).toMatchObject({ code: 0, talk: '' })
})

test('without a certificate, or with the wrong token, a command ends with exit code 6', async () => {
  expect(await as('client', ['kv', 'get', 'ada', '--timeout', '2s'], [])).toMatchObject({ code: 6, out: '' })
  expect(await as('peer', ['shard', 'status'])).toMatchObject({ code: 6, out: '', talk: matching(/token/) })
})

test('a controller without a majority is what an error names; a key of a group without one, that group, and what became of the write', async () => {
  const files = { ca: 'certs/ca.pem', cert: 'certs/ops.pem', key: 'certs/ops.key' }
  const tls = Object.fromEntries(
    Object.entries(files).map(([name, file]) => [name, readFileSync(inFolder(file))]),
  )
  const { controllers } = machines
  const options = { clusterId: 'prod', token: 'client-secret', transport: tcp({ tls }), timeout: 1000 }
  const clerk = await Clerk.connect({ ...options, controllers })
  await clerk.put('ada', 'of ada')
  await machines.servers.kill('m2')
  const refused = await as('admin', ['shard', 'leave', '101', '--timeout', '1s'])
  expect(refused).toMatchObject({ code: 4, talk: matching(/the shard controller: no answer within 1000 ms/) })
  // Some attempt may have reached the log of who led then: that is not called a failure.
  await expect(clerk.put('ada', 'x')).rejects.toMatchObject({
    ...{ code: 'TIMEOUT', message: matching(/group 10[01]: /), outcome: matching(/^(unknown|not-applied)$/) },
  })
  await clerk.close()
})

/** `lab up --tls`: two servers that need each other, so that nothing works unless they and the clients trust one another. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readClusterFile } from '../src/local/cluster-file.ts'
import { lab, matching } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

let cwd: string
const inLab = (...names: string[]): string => join(cwd, '.lab', ...names)

beforeAll(async () => {
  cwd = temporaryFolder()
  expect(await lab(['up', '--tls', '--nodes', '2', '--detach'], { cwd })).toMatchObject({
    code: 0,
    talk: '',
  })
})

afterAll(async () => {
  await lab(['down', '--wipe'], { cwd })
  expect(existsSync(inLab('certs'))).toBe(false)
})

test('lab up --tls starts servers that trust one another; commands in the folder find whom to trust', async () => {
  expect(await lab(['kv', 'put', 'ship', 'Pequod'], { cwd })).toMatchObject({ code: 0, talk: '' })
  expect(await lab(['kv', 'get', 'ship'], { cwd })).toEqual({ code: 0, out: 'Pequod\n', talk: '' })
  const { out } = await lab(['cluster', 'transfer-leader', '-o', 'json'], { cwd })
  expect(JSON.parse(out)).toMatchObject({ leader: matching(/^n[12]$/) })
  expect(statSync(inLab('certs', 'ca.key')).mode & 0o077).toBe(0)
})

test('the cluster file says whom to trust wherever it is given; a client without it trusts nobody', async () => {
  const elsewhere = temporaryFolder()
  const get = (...flags: string[]): ReturnType<typeof lab> =>
    lab(['kv', 'get', 'ship', '--timeout', '5s', ...flags], { cwd: elsewhere })
  expect(await get('--config', inLab('lab.json'))).toEqual({ code: 0, out: 'Pequod\n', talk: '' })
  const servers = Object.values(readClusterFile(inLab()).nodes).map(({ address }) => address)
  expect(servers[0]).toMatch(/^tls:/)
  expect(await get('--servers', servers.join(','))).toMatchObject({
    code: 6,
    talk: matching(/certificate at tls:.* is not trusted/),
  })
})

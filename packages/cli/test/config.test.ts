/** What a server runs with, and how each source is refused what is not acceptable in it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readSwitch } from '../src/parse.ts'
import { resolveServerConfig } from '../src/server/config.ts'
import { lab, matching } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

const NODES = { m1: 'tcp://a:1', m2: ['tcp://b:1', 'ws://b:2'], m3: 'tcp://c:1' }

function fileOf(content: unknown): string {
  const path = join(temporaryFolder(), 'lab.json')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

test('a flag wins over the file, and the file over the default', () => {
  const config = fileOf({ cluster: 'prod', nodes: NODES, log: 'json', insecure: true })
  expect(resolveServerConfig({ id: 'm2', data: 'd', config })).toEqual({
    id: 'm2',
    data: 'd',
    clusterId: 'prod',
    listen: ['tcp://b:1', 'ws://b:2'],
    plan: { kind: 'kv', members: { m1: ['tcp://a:1'], m2: NODES.m2, m3: ['tcp://c:1'] } },
    tls: undefined,
    tokens: {},
    admin: undefined,
    origins: [],
    insecure: true,
    log: { format: 'json', level: 'info' },
  })
  const flags = {
    clusterId: 'c',
    members: 'x=a:1',
    listen: ['tcp://:7'],
    insecure: false,
    log: 'text',
  } as const
  expect(resolveServerConfig({ id: 'x', data: 'd', config, ...flags })).toMatchObject({
    clusterId: 'c',
    plan: { kind: 'kv', members: { x: ['a:1'] } },
    listen: ['tcp://:7'],
    insecure: false,
    log: { format: 'text' },
  })
  expect(resolveServerConfig({ id: 'x', data: 'd', members: 'x=a:1' }).clusterId).toBe('lab')
})

test('a file with a controller and groups gives a node its part of a sharded store', () => {
  const groups = { '100': ['m1', 'm2'], '101': ['m3'] }
  const file = { nodes: NODES, shards: 10, controller: ['m1'], groups }
  const { plan, listen } = resolveServerConfig({ id: 'm3', data: 'd', config: fileOf(file) })
  expect(plan).toMatchObject({ kind: 'shards', shards: 10, controller: ['m1'], groups })
  expect(listen).toEqual(['tcp://c:1'])
  const idle = fileOf({ ...file, groups: { '100': ['m2'] } })
  // A spare: it is given replicas later.
  expect(resolveServerConfig({ id: 'm3', data: 'd', config: idle }).plan).toMatchObject({ kind: 'shards' })
  const headless = fileOf({ nodes: NODES, groups })
  expect(() => resolveServerConfig({ id: 'm3', data: 'd', config: headless })).toThrow(/no controller/)
})

test('a server without name, members or folder says what it lacks', () => {
  const refused = [
    [{}, /--id n1/],
    [{ id: 'n 1' }, /--id must be .* not "n 1"/],
    [{ id: 'n1' }, /--members n1=/],
    [{ id: 'n1', members: 'n2=a:1' }, /--id is n1, but the members are n2/],
    [{ id: 'n1', members: 'n1=a:1' }, /--data/],
    [{ id: 'n1', members: 'n1=a', data: 'd' }, /--members\.n1 must be an address .* not "a"/],
    [{ id: 'n1', members: 'n1=ftp://a:1', data: 'd' }, /not "ftp:\/\/a:1"/],
    [{ id: 'n1', members: 'n1=a:1', listen: ['a:99999'], data: 'd' }, /--listen\[0\].*99999/],
    [{ id: 'n1', join: ['a:1'], data: 'd' }, /--join needs --listen/],
  ] as const
  for (const [flags, message] of refused) expect(() => resolveServerConfig(flags)).toThrow(message)
})

test('a file with anything that it should not have is refused by key and value', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    ['{', /lab\.json: .*JSON/],
    [[], /must be an object .* not \[\]/],
    [{ nodes: {}, clustre: 'x' }, /unknown clustre; there may be cluster, nodes/],
    [{ cluster: 7 }, /cluster must be .* not 7/],
    [{ nodes: { 'm 1': 'a:1' } }, /a name in .*nodes must be .* not "m 1"/],
    [{ nodes: { m1: [] } }, /nodes\.m1 must be a list of at least one, not \[\]/],
    [{ nodes: { m1: 'tcp://a' } }, /nodes\.m1 must be an address/],
    [{ nodes: NODES, shards: 0 }, /shards must be a whole number from 1 to 16384, not 0/],
    [{ nodes: NODES, controller: ['m1', 'm1'] }, /controller is there twice, not "m1"/],
    [{ nodes: NODES, controller: ['m9'] }, /controller names m9, but nodes are m1, m2, m3/],
    [{ nodes: NODES, groups: { x: ['m1'] } }, /a name in .*groups must be a number .* not "x"/],
    [{ nodes: NODES, groups: { '100': ['m9'] } }, /groups\.100 names m9/],
    [{ nodes: NODES, log: 'xml' }, /log must be one of text, json, not "xml"/],
    [{ nodes: NODES, insecure: 'yes' }, /insecure must be true or false, not "yes"/],
  ]
  for (const [content, message] of refused)
    expect(() => resolveServerConfig({ id: 'm1', data: 'd', config: fileOf(content) })).toThrow(message)
  expect(() => resolveServerConfig({ id: 'm1', config: '/nowhere/lab.json' })).toThrow(/nowhere.*ENOENT/)
})

test('what is refused is exit code 2, also in the environment', async () => {
  expect(
    await lab(['server', '--id', 'n1', '--config', fileOf({ shards: -1 }), '--data', 'd']),
  ).toMatchObject({
    code: 2,
    out: '',
    talk: matching(/shards must be a whole number .* not -1/),
  })
  const env = { LAB_INSECURE: 'perhaps' }
  expect(await lab(['server', '--id', 'n1'], { env })).toMatchObject({
    code: 2,
    talk: matching(/LAB_INSECURE is true or false, not "perhaps"/),
  })
  expect(readSwitch({ LAB_INSECURE: '1' }, 'LAB_INSECURE')).toBe(true)
})

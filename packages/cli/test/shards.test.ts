/** A sharded store in real processes: made, grown, with a machine killed and replaced, and shrunk again. */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readClusterFile } from '../src/local/cluster-file.ts'
import { freePorts } from '../src/local/ports.ts'
import { startServerProcess } from '../src/local/server-process.ts'
import { lab, matching } from './fake-io.ts'
import { temporaryFolder } from './folder.ts'

const KEYS = ['ada', 'bob', 'eve', 'ida', 'max', 'tim']

test('a sharded store grows, loses a machine, gets another for it, which the lost one finds out, and shrinks, and has every key all the while, and in its backup', async () => {
  const cwd = temporaryFolder()
  const run = async (...argv: string[]): Promise<string> => {
    const { code, out, talk } = await lab(argv, { cwd })
    expect({ argv, code, talk: code === 0 ? '' : talk }).toEqual({ argv, code: 0, talk: '' })
    return out
  }
  const expectAll = async (): Promise<void> => {
    for (const key of KEYS) expect(await run('kv', 'get', key)).toBe(`of ${key}\n`)
    expect(await run('kv', 'scan', '--keys', '-o', 'raw')).toBe(`${KEYS.join('\n')}\n`)
  }
  // Also when it takes too long, which `finally` would not see.
  onTestFinished(async () => {
    await lab(['down', '--wipe'], { cwd })
  })
  await run('up', '--nodes', '4', '--groups', '2', '--shards', '8', '--detach')
  for (const key of KEYS) await run('kv', 'put', key, `of ${key}`)
  expect(await run('shard', 'join', '103', '--on', 'm1,m2,m3')).toMatch(/^2 +103 +1 +/m)
  await expectAll()
  const status = JSON.parse(await run('shard', 'status', '-o', 'json')) as {
    group: number
    state: string
  }[]
  expect(new Set(status.map(({ group }) => group))).toEqual(new Set([100, 101, 103]))

  // Refused before anything is done.
  expect(await lab(['shard', 'replace', 'm2', 'm2'], { cwd })).toMatchObject({ code: 2 })
  expect(await lab(['shard', 'join', '104', '--on', 'm1,m1'], { cwd })).toMatchObject({ code: 2 })
  const twice = await lab(['shard', 'join', '101', '--on', 'm1,m2'], { cwd })
  expect(twice).toMatchObject({ code: 1, talk: matching(/group 101 has joined already/) })
  expect((await run('cluster', 'health', '-o', 'raw')).match(/\tok$/gm)).toHaveLength(3 * 4)

  process.kill(readClusterFile(join(cwd, '.lab')).nodes['m2']?.pid ?? 0, 'SIGKILL')
  const replaced = await run('shard', 'replace', 'm2', 'm4')
  expect(replaced).toBe(
    'controller: m4 for m2\ngroup 100: m4 for m2\ngroup 101: m2 removed\ngroup 103: m4 for m2\n',
  )
  expect(await run('shard', 'replace', 'm2', 'm4')).toContain('group 103: m2 was not there')
  expect(await run('cluster', 'members', '--group', '103', '-o', 'raw')).toMatch(/^m1\t.*\nm3\t.*\nm4\t.*\n$/)
  // Where m4 had one, a replica is missing now.
  expect(await run('shard', 'grow', '101', '--on', 'm1')).toBe('group 101: m1 has a replica\n')
  expect(await run('cluster', 'members', '--group', '101', '-o', 'raw')).toMatch(/^m3\t.*\nm4\t.*\nm1\t.*\n$/)
  await expectAll()
  await expectToLetGo('m2')
  const lost = await lab(['shard', 'replace', 'm9', 'm4'], { cwd })
  expect(lost).toMatchObject({ code: 3, talk: matching(/no group knows m9/) })

  expect(await run('shard', 'leave', '100')).not.toContain(' 100 ')
  await expectAll()
  // The same again, as after an interruption; but its number is used up.
  expect(await run('shard', 'leave', '100')).not.toContain(' 100 ')
  const again = await lab(['shard', 'join', '100', '--on', 'm1'], { cwd })
  expect(again).toMatchObject({ code: 1, talk: matching(/there was a group 100/) })
  expect((await lab(['shard', 'leave', '99'], { cwd })).talk).toContain('there is no group 99')
  expect((await lab(['kv', 'txn', TWO_SHARDS], { cwd })).code).not.toBe(0)

  const rows = JSON.parse(await run('cluster', 'backup', 'monday', '-o', 'json')) as { group: string }[]
  expect(rows.map(({ group }) => group)).toEqual(['controller', '101', '103'])
  await expectKept('monday')

  /** A machine whose place was taken while it was down comes back with its old replicas. */
  async function expectToLetGo(id: string): Promise<void> {
    const folder = join(cwd, '.lab')
    const { cluster, config, nodes } = readClusterFile(folder)
    const { data = '', log = '' } = nodes[id] ?? {}
    const replicas = (): number[] =>
      (JSON.parse(readFileSync(join(data, 'replicas.json'), 'utf8')) as { group: number }[]).map(
        ({ group }) => group,
      )
    expect(replicas()).toEqual([0, 100, 101, 103])
    const server = startServerProcess({ id, config: config ?? '', clusterId: cluster, data, log })
    await server.ready
    await expect.poll(replicas, { timeout: 60_000 }).toEqual([])
    // It may have its place again, and lose it again.
    expect(await run('shard', 'replace', 'm4', id)).toContain(`group 103: ${id} for m4`)
    expect(replicas()).toEqual([0, 100, 101, 103])
    expect(await run('shard', 'replace', id, 'm4')).toContain(`group 103: m4 for ${id}`)
    await expectAll()
    server.kill('SIGTERM')
    expect(await server.exited).toBe('exit code 0')
  }

  /** Another store begins with what the backup holds: all of it on one machine, at an address of its own. */
  async function expectKept(backup: string): Promise<void> {
    const [port = 0] = await freePorts(1)
    const nodes = { s1: `tcp://127.0.0.1:${String(port)}` }
    const file = { cluster: 'second', nodes, controller: ['s1'], groups: { 101: ['s1'], 103: ['s1'] } }
    const config = join(cwd, 'second.json')
    writeFileSync(config, JSON.stringify({ ...file, shards: 9 }))
    const data = join(cwd, 's1')
    const restore = ['cluster', 'restore', backup, '--config', config, '--id', 's1', '--data', data]
    const refusal = async (...more: string[]): Promise<string> => {
      const { code, talk } = await lab([...restore, ...more], { cwd })
      expect(code).toBeGreaterThan(0)
      return talk
    }
    expect(await refusal()).toContain('has 8 shards, the file says 9')
    writeFileSync(config, JSON.stringify({ ...file, groups: { 101: ['s1'] } }))
    expect(await refusal()).toContain('has the groups 101, 103, the file 101')
    writeFileSync(config, JSON.stringify(file))
    expect(await refusal('--cluster-id', 'lab')).toContain('must be another than lab')
    const part = join(cwd, backup, 'group-103.backup')
    const bytes = readFileSync(part)
    writeFileSync(part, bytes.with(bytes.length - 9, bytes.at(-9) === 0 ? 1 : 0))
    expect(await refusal()).toMatch(/damaged/)
    copyFileSync(join(cwd, backup, 'group-101.backup'), part)
    expect(await refusal()).toContain('group 103 of the backup is not whole')
    expect(existsSync(data)).toBe(false)
    writeFileSync(part, bytes)
    expect(await run(...restore)).toContain('s1 of cluster second, with controller, group 101, group 103')
    expect(await refusal()).toContain('holds data already')

    const log = join(cwd, 's1.log')
    const server = startServerProcess({ id: 's1', config, clusterId: 'second', data, log })
    await server.ready
    for (const key of KEYS) expect(await run('kv', 'get', key, '--config', config)).toBe(`of ${key}\n`)
    expect(await run('shard', 'query', '--config', config)).toContain(nodes.s1)
    server.kill('SIGTERM')
    expect(await server.exited).toBe('exit code 0')
  }
})

const TWO_SHARDS = JSON.stringify({
  then: KEYS.map((key) => ({ op: 'put', key, value: 'x' })),
})

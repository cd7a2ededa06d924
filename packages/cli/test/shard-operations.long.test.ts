/**
 * What an operator does to a sharded store, on four real machines under load: restarts all of them, one after the other, replaces one
 * by a command that is killed in the middle, and begins another store with a backup. What clients saw must have an explanation.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, systemClock } from '@lab/rpc'
import { expect, test } from 'vitest'
import { LAB_BIN } from '../src/own-files.ts'
import {
  expectLinearizable,
  expectNothingLost,
  shardClerksOf,
  startLoad,
  type Appended,
  type Load,
} from './real-clients.ts'
import { MACHINES, RealMachines, type MachinesOptions } from './real-machines.ts'

const SEED = Number(process.env['LAB_SEED'] ?? 2026)
const CLIENTS = 6
const TIMEOUT_MS = 300_000

async function withMachines(
  work: (machines: RealMachines, load: Load) => Promise<void>,
  options: MachinesOptions = {},
): Promise<void> {
  const machines = await RealMachines.start(options)
  const connect = shardClerksOf(machines.controllers)
  const load = startLoad(CLIENTS, connect, SEED)
  try {
    await sleep(systemClock, 1000)
    await work(machines, load)
  } finally {
    await machines.servers.killAll()
  }
}

/** Ends the load. @returns in words, what was judged */
async function expectAllWell(machines: RealMachines, load: Load): Promise<string> {
  const appended = await load.stop()
  await expectNothingLost(shardClerksOf(machines.controllers), appended)
  return `${expectLinearizable(load.history)}, ${String(sum(appended))} appends there once`
}

function sum(appended: readonly Appended[]): number {
  return appended.reduce((count, { acknowledged }) => count + acknowledged.size, 0)
}

async function done(machines: RealMachines, ...argv: readonly string[]): Promise<string> {
  const { code, out, talk } = await machines.lab(...argv)
  expect({ argv, code, talk: code === 0 ? '' : talk }).toEqual({ argv, code: 0, talk: '' })
  return out
}

/** A command in a process of its own, which is killed after `ms`. @returns its exit code, null when it was killed */
async function runFor(
  machines: RealMachines,
  ms: number,
  ...argv: readonly string[]
): Promise<number | null> {
  const child = spawn(process.execPath, [LAB_BIN, ...argv, '--config', machines.config], { stdio: 'inherit' })
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(timer)
  return code
}

/**
 * What was appended while the backup was taken is there up to some moment: whoever appends does one after the other to a key of his
 * own, so none is missing before one that is there.
 */
async function expectPrefixes(machines: RealMachines, appended: readonly Appended[]): Promise<void> {
  const clerk = await shardClerksOf(machines.controllers)(30_000)
  for (const { key, acknowledged, unknown } of appended) {
    const found = ((await clerk.getText(key)) ?? '').split(' ').slice(1)
    expect(new Set(found).size).toBe(found.length)
    const certain = found.filter((token) => !unknown.has(token))
    expect(certain).toEqual([...acknowledged].slice(0, certain.length))
  }
  await clerk.close()
}

test('all machines are drained and restarted, one after the other', { timeout: TIMEOUT_MS }, () =>
  withMachines(async (machines, load) => {
    const { servers } = machines
    for (const id of MACHINES) {
      await done(machines, 'shard', 'drain', id)
      // It leads nothing that has another who could: neither the controller nor a group.
      const { out } = await machines.lab('cluster', 'status', '--group', '100', '-o', 'json')
      const leaders = JSON.parse(out) as { readonly node: string | null; readonly role: string }[]
      expect(leaders.filter(({ role }) => role === 'leader').map(({ node }) => node)).not.toContain(id)
      expect(await servers.stop(id)).toBe('exit code 0')
      await servers.start(id)
      await sleep(systemClock, 1000)
    }
    console.log(`Passed a rolling restart of four machines: ${await expectAllWell(machines, load)}`)
  }),
)

test(
  'another machine takes the place of one that was lost, by a command that is killed again and again',
  { timeout: TIMEOUT_MS },
  () =>
    withMachines(
      async (machines, load) => {
        await machines.servers.kill('m2')
        let killed = 0
        for (let patience = 300; ; patience = patience * 1.5, killed++) {
          const ended = await runFor(machines, patience, 'shard', 'replace', 'm2', 'm4')
          if (ended === 0) break
          expect(ended).toBeNull()
          expect(killed).toBeLessThan(20)
        }
        for (const group of ['0', '100', '101']) {
          const members = await done(machines, 'cluster', 'members', '--group', group, '-o', 'raw')
          expect(members.split('\n').map((line) => line.split('\t')[0])).toEqual(['m1', 'm3', 'm4', ''])
        }
        // It comes back, and is nobody.
        await machines.servers.start('m2')
        await sleep(systemClock, 2000)
        await done(machines, 'shard', 'drain', 'm3')
        console.log(
          `Passed a replacement, killed ${String(killed)} times: ${await expectAllWell(machines, load)}`,
        )
      },
      { groups: { 100: ['m1', 'm2', 'm3'], 101: ['m1', 'm2', 'm3'] } },
    ),
)

test('a backup under load becomes another store, on other machines', { timeout: TIMEOUT_MS }, () =>
  withMachines(async (machines, load) => {
    const folder = join(machines.servers.folder, 'monday')
    await sleep(systemClock, 3000)
    const before = await load.stop()
    const second = startLoad(CLIENTS, shardClerksOf(machines.controllers), SEED + 100, 'd')
    await sleep(systemClock, 500)
    await done(machines, 'cluster', 'backup', folder)
    const after = await second.stop()
    await machines.servers.killAll()
    for (const id of MACHINES) rmSync(machines.servers.data(id), { recursive: true })

    const others = await RealMachines.prepare({ cluster: 'second' })
    for (const id of MACHINES) {
      await done(others, 'cluster', 'restore', folder, '--id', id, '--data', others.servers.data(id))
    }
    await others.startAll()
    try {
      await expectNothingLost(shardClerksOf(others.controllers), before)
      await expectPrefixes(others, after)
      await done(others, 'shard', 'join', '103', '--on', 'm1,m2,m4')
      const again = startLoad(CLIENTS, shardClerksOf(others.controllers), SEED + 200, 'e')
      await sleep(systemClock, 3000)
      console.log(
        `Passed a restored store: ${String(sum(before))} appends there once, then ${await expectAllWell(others, again)}`,
      )
    } finally {
      await others.servers.killAll()
    }
  }),
)

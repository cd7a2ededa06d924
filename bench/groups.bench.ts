/** What many groups cost that do nothing, and what a write costs when many groups write; one group is the baseline. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Benchmark, Row } from './benchmark.ts'
import { ThreeHosts } from './groups/three-hosts.ts'

const GROUPS = [1, 100, 1000]
const OUTSTANDING = 128
const SETTLE_MS = 1500
const SECONDS_MAX = 40
const TEXT = 'x'.repeat(256)

export const benchmark: Benchmark = {
  title:
    'Groups: three hosts on TCP and files in one process; idle, then 256 B writes to all groups, 128 outstanding',
  async run({ seconds }) {
    // Start and close take their part, most of all with a thousand groups.
    const millis = Math.min(seconds, SECONDS_MAX) * 60
    const rows: Row[] = []
    for (const groups of GROUPS) rows.push(await measure(groups, millis))
    return rows
  },
}

async function measure(groups: number, millis: number): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'lab-bench-groups-'))
  const begun = performance.now()
  const hosts = await ThreeHosts.start(folder, groups)
  try {
    const startedMs = performance.now() - begun
    await sleep(SETTLE_MS)
    const idle = await idleCost(hosts, millis)
    const writes = await writeCost(hosts, groups, millis)
    return { groups, 'start s': startedMs / 1000, ...idle, ...writes }
  } finally {
    await hosts.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function idleCost(hosts: ThreeHosts, millis: number): Promise<Row> {
  const [messages, cpu, at] = [hosts.messages, process.cpuUsage(), performance.now()]
  await sleep(millis)
  const { user, system } = process.cpuUsage(cpu)
  const took = performance.now() - at
  return {
    'idle CPU % a host': (user + system) / 1000 / took / 3 / 0.01,
    'idle messages/s of groups': ((hosts.messages - messages) * 1000) / took,
  }
}

async function writeCost(hosts: ThreeHosts, groups: number, millis: number): Promise<Row> {
  const [syncs, at] = [hosts.syncs, performance.now()]
  let done = 0
  const write = async (first: number): Promise<void> => {
    for (let group = first; performance.now() - at < millis; group += OUTSTANDING) {
      await hosts.propose(group % groups, TEXT)
      done++
    }
  }
  await Promise.all(Array.from({ length: OUTSTANDING }, (_, i) => write(i)))
  return {
    'writes/s': (done * 1000) / (performance.now() - at),
    'syncs a write, three disks': (hosts.syncs - syncs) / done,
  }
}

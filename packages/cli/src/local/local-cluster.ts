/** A cluster on this machine: made, started again, stopped. */
import { rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { RaftClient } from '@lab/raft'
import type { TlsKeys } from '@lab/rpc/tls'
import { CliError } from '../errors.ts'
import { openTls } from '../security.ts'
import { CLIENT_ID, clientTlsOf, readConfigFile } from '../server/config-file.ts'
import { allTransports } from '../transports.ts'
import { readClusterFile, writeClusterFile, type ClusterFile, type LocalNode } from './cluster-file.ts'
import { holderOf } from './holder.ts'
import { freePorts } from './ports.ts'
import { CERTIFICATES_FOLDER, PLAN_FILE } from './plan-file.ts'
import { waitForShards } from './sharded-plan.ts'
import { startServerProcess, type ServerProcess } from './server-process.ts'

/** What `lab up` calls the cluster that it makes. */
const CLUSTER_ID = 'lab'
const STOP_MS = 10_000
const LEADER_MS = 15_000
const POLL_MS = 25

export type LocalTransport = 'tcp' | 'websocket'

/** Of addresses. */
const SCHEMES = { tcp: { plain: 'tcp', tls: 'tls' }, websocket: { plain: 'ws', tls: 'wss' } } as const

export type ClusterPlan = Omit<ClusterFile, 'version'>

/** Ids n1, n2 …, or of another letter; free ports on the loopback, everything below `labFolder`. */
export async function planCluster(
  labFolder: string,
  {
    count,
    transport,
    letter = 'n',
    tls = false,
  }: {
    readonly count: number
    readonly transport: LocalTransport
    readonly letter?: string
    readonly tls?: boolean
  },
): Promise<ClusterPlan> {
  const ports = await freePorts(count)
  const scheme = SCHEMES[transport][tls ? 'tls' : 'plain']
  const nodes = ports.map((port, at): [string, LocalNode] => {
    const id = `${letter}${at + 1}`
    const address = `${scheme}://127.0.0.1:${port}`
    return [
      id,
      { address, data: join(labFolder, 'data', id), log: join(labFolder, 'log', `${id}.log`), pid: 0 },
    ]
  })
  return { cluster: CLUSTER_ID, nodes: Object.fromEntries(nodes) }
}

/**
 * Starts every server of the plan and writes the cluster file. Resolves when all serve and one leads.
 *
 * @throws {CliError} when one runs already or does not start; then none is left running
 */
export async function startCluster(
  labFolder: string,
  plan: ClusterPlan,
  { detached }: { readonly detached: boolean },
): Promise<ServerProcess[]> {
  await refuseIfRunning(plan)
  const members = membersOf(plan)
  const whole = plan.config === undefined ? { members } : { config: plan.config }
  const servers = Object.entries(plan.nodes).map(([id, { data, log }]) =>
    startServerProcess({ id, ...whole, clusterId: plan.cluster, data, log, detached }),
  )
  try {
    await Promise.all(servers.map(({ ready }) => ready))
    const nodes = Object.entries(plan.nodes).map(([id, node]) => {
      const pid = servers.find((server) => server.id === id)?.pid ?? node.pid
      return [id, { ...node, pid }] as const
    })
    writeClusterFile(labFolder, { ...plan, nodes: Object.fromEntries(nodes) })
    await waitUntilServed(plan)
    return servers
  } catch (thrown) {
    for (const server of servers) server.kill('SIGKILL')
    throw thrown
  }
}

/** id → address. */
export function membersOf({ nodes }: ClusterPlan): Record<string, string> {
  return Object.fromEntries(Object.entries(nodes).map(([id, { address }]) => [id, address]))
}

/** Asks every running server to stop, and waits until each has let go of its folder. @returns the ids of those that ran */
export async function stopCluster({ nodes }: ClusterPlan): Promise<string[]> {
  const running: string[] = []
  for (const [id, { data, pid }] of Object.entries(nodes)) {
    const holder = await holderOf(data)
    if (holder === null) continue
    running.push(id)
    terminate(id, holder.pid ?? pid)
  }
  const deadline = Date.now() + STOP_MS
  for (const id of running) {
    while ((await holderOf(nodes[id]?.data ?? '')) !== null) {
      if (Date.now() > deadline)
        throw new CliError('FAILED', `${id} has not stopped within ${STOP_MS / 1000} s`)
      await sleep(POLL_MS)
    }
  }
  return running
}

/** Removes data, logs and the cluster file: whatever lies in the `.lab` folder, and nothing outside it. */
export function wipeCluster(labFolder: string): void {
  const { nodes } = readClusterFile(labFolder)
  for (const { data } of Object.values(nodes))
    if (relative(labFolder, data).startsWith('..'))
      throw new CliError('FAILED', `${data} is not below ${labFolder}: remove it yourself, if you mean to`)
  for (const name of ['data', 'log', 'cluster.json', PLAN_FILE, CERTIFICATES_FOLDER])
    rmSync(join(labFolder, name), { recursive: true, force: true })
}

async function refuseIfRunning({ nodes }: ClusterPlan): Promise<void> {
  for (const [id, { data }] of Object.entries(nodes))
    if ((await holderOf(data)) !== null)
      throw new CliError('FAILED', `${id} runs already: see lab cluster status, or stop it with lab down`)
}

async function waitUntilServed(plan: ClusterPlan): Promise<void> {
  const servers = Object.values(membersOf(plan))
  const file = plan.config === undefined ? {} : readConfigFile(plan.config, CLIENT_ID)
  const tls = clientTlsOf(file)
  const keys = tls === undefined ? undefined : openTls(tls)
  if (file.controller === undefined) await waitForLeader(servers, keys)
  else await waitForShards(servers, keys)
}

async function waitForLeader(servers: readonly string[], keys: TlsKeys | undefined): Promise<void> {
  const transports = allTransports(keys)
  const client = await RaftClient.connect({ servers, transports, connectTimeout: LEADER_MS })
  try {
    const deadline = Date.now() + LEADER_MS
    while (!(await client.status()).some(({ status }) => status?.role === 'leader')) {
      if (Date.now() > deadline)
        throw new CliError('UNAVAILABLE', 'the servers run, but none came to lead: see their logs')
      await sleep(POLL_MS)
    }
  } finally {
    await client.close()
  }
}

/** Asks a server to stop; one that has ended meanwhile is fine. A number of 0 or less would mean whole groups of processes. */
function terminate(id: string, pid: number): void {
  if (pid <= 0) throw new CliError('FAILED', `which process ${id} is, is not known: end it by hand`)
  try {
    process.kill(pid, 'SIGTERM')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown
  }
}

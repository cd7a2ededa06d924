/** A sharded cluster on this machine: its cluster file, and when it serves. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Clerk } from '@lab/shardctrler/clerk'
import { CliError } from '../errors.ts'
import type { TlsKeys } from '@lab/rpc/tls'
import { allTransports } from '../transports.ts'
import type { ClusterPlan } from './local-cluster.ts'
import { filePlan, type FiledPlan } from './plan-file.ts'

const FIRST_GID = 100
const CONTROLLERS_MAX = 3
const REPLICAS_MAX = 3
const READY_MS = 30_000
const POLL_MS = 50

export interface ShardedSize {
  readonly groups: number
  readonly shards: number
}

/** Writes the cluster file for a plan: the controller on the first three nodes, groups 100, 101 … of three, on each node as many. */
export function shardedPlan(
  labFolder: string,
  plan: ClusterPlan,
  { groups, shards }: ShardedSize,
): FiledPlan {
  const ids = Object.keys(plan.nodes)
  const gids = Array.from({ length: groups }, (_, at) => FIRST_GID + at)
  const placed = gids.map((gid) => [String(gid), placeOf(gid, ids)] as const)
  const controller = ids.slice(0, CONTROLLERS_MAX)
  return filePlan(labFolder, plan, { shards, controller, groups: Object.fromEntries(placed) })
}

/** On which nodes a group has its replicas: 100 on the first ones, 101 from the second on, and so round. */
export function placeOf(gid: number, ids: readonly string[]): string[] {
  const replicas = Math.min(REPLICAS_MAX, ids.length)
  return Array.from({ length: replicas }, (_, at) => ids[(gid - FIRST_GID + at) % ids.length] ?? '')
}

/** Resolves when the controller has a leader and every group serves its shards. @throws {CliError} `UNAVAILABLE` */
export async function waitForShards(servers: readonly string[], keys?: TlsKeys): Promise<void> {
  const timeout = READY_MS
  const clerk = await Clerk.connect({
    servers,
    transports: allTransports(keys),
    connectTimeout: timeout,
    timeout,
  })
  try {
    const deadline = Date.now() + timeout
    for (;;) {
      const { num } = await clerk.query()
      const finished = Object.values((await clerk.progress()).finished)
      if (num > 0 && finished.every((reached) => reached >= num)) return
      if (Date.now() > deadline)
        throw new CliError('UNAVAILABLE', 'the servers run, but not every group serves: see their logs')
      await sleep(POLL_MS)
    }
  } finally {
    await clerk.close()
  }
}

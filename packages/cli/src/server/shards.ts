/** A machine of a sharded store: replicas of the controller and of any number of groups, on one port and in one log. */
import { join } from 'node:path'
import { RaftHost } from '@lab/raft'
import { fileHostStorage } from '@lab/raft/storage/file'
import { implement, type Implementation } from '@lab/rpc'
import { ShardHost } from '@lab/shardkv'
import { HostService, type ReplicaStart } from '../shards/host-service.ts'
import { allTransports } from '../transports.ts'
import type { ServerConfig, ShardPlan } from './config.ts'
import type { Hosted, Surroundings } from './hosted.ts'
import { stopDeparted } from './departed.ts'
import { CONTROLLER_GROUP, Replicas } from './replicas.ts'
import { sharedOptions } from './shared-options.ts'

export async function hostShards(
  plan: ShardPlan,
  config: ServerConfig,
  around: Surroundings,
): Promise<Hosted> {
  const { clusterId, data, id } = config
  const { trace, tls } = around
  const token = clientToken(around.token)
  const host = await RaftHost.start({
    ...sharedOptions(config, around),
    storage: fileHostStorage(data),
  })
  const controllers = addressesOf(plan, plan.controller)
  const reach = {
    ...{ clusterId, transports: allTransports(tls) },
    ...(token === undefined ? {} : { token }),
  }
  const shards = new ShardHost({
    ...{ ...reach, host, controllers },
    ...(trace === undefined ? {} : { trace }),
  })
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)
  const groups = Object.fromEntries(
    Object.entries(plan.groups).map(([gid, ids]) => [gid, addressesOf(plan, ids)]),
  )
  const replicas = new Replicas(
    {
      host,
      shards,
      creation: { shards: plan.shards, groups },
      path: join(data, 'replicas.json'),
      logger: around.logger,
      onFatal: fail,
    },
    firstReplicas(id, plan),
  )
  try {
    await replicas.startAll()
    host.server.add(hostImplementation(id, replicas))
  } catch (thrown) {
    await host.close()
    throw thrown
  }
  const closing = new AbortController()
  void stopDeparted(replicas, { ...reach, servers: controllers }, closing.signal)
  return {
    addresses: host.server.addresses,
    rpc: () => host.server.metrics(),
    groups: () => replicas.groups,
    summary: `cluster ${clusterId} · ${replicas.groups.map(({ name }) => name).join(' ') || 'spare'}`,
    row: { cluster: clusterId, groups: replicas.numbers },
    failed,
    async close() {
      closing.abort()
      await shards.close()
      await host.close()
    },
  }
}

/** What groups show each other: to another group they are clients. */
function clientToken(token: Surroundings['token']): string | undefined {
  const shown = typeof token === 'object' ? token.client : token
  return typeof shown === 'object' ? shown[0] : shown
}

/** What the cluster file gives this node to begin with. */
function firstReplicas(id: string, plan: ShardPlan): ReplicaStart[] {
  const all = [[String(CONTROLLER_GROUP), plan.controller] as const, ...Object.entries(plan.groups)]
  return all
    .filter(([, ids]) => ids.includes(id))
    .map(([group, ids]) => ({
      group: Number(group),
      members: Object.fromEntries(ids.map((member) => [member, plan.nodes[member] ?? []])),
    }))
}

function addressesOf({ nodes }: ShardPlan, ids: readonly string[]): string[] {
  return ids.flatMap((id) => nodes[id] ?? [])
}

function hostImplementation(id: string, replicas: Replicas): Implementation {
  const handlers = {
    about: () => ({ id, groups: replicas.numbers }),
    async start(start: ReplicaStart) {
      await replicas.start(start)
      return null
    },
    async stop(group: number) {
      await replicas.stop(group)
      return null
    },
  }
  return implement(HostService, handlers, { roles: ['admin'] })
}

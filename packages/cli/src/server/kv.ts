/** A member of a replicated store. */
import { KvServer, type KvServerOptions } from '@lab/kvraft'
import { fileStorage } from '@lab/raft/storage/file'
import type { KvPlan, ServerConfig } from './config.ts'
import type { Hosted, HostedGroup, Surroundings } from './hosted.ts'
import { narrator } from './narrate.ts'
import { sharedOptions } from './shared-options.ts'

export async function hostKv(plan: KvPlan, config: ServerConfig, around: Surroundings): Promise<Hosted> {
  const server = await KvServer.start(kvOptions(plan, config, around))
  const { node } = server
  const group: HostedGroup = { name: 'kv', node, operations: new Map() }
  narrator(around.logger)(group)
  const members = Object.keys(plan.members ?? {})
  const whose = plan.join === undefined ? ` of ${members.join(' ')}` : ', joining'
  return {
    addresses: node.server.addresses,
    rpc: () => node.server.metrics(),
    groups: () => [group],
    summary: `cluster ${config.clusterId}${whose}`,
    row: { cluster: config.clusterId, members },
    failed: new Promise((_, reject) => {
      node.on('fatal', ({ error }) => {
        reject(error)
      })
    }),
    close: () => server.close(),
  }
}

function kvOptions({ members, join }: KvPlan, config: ServerConfig, around: Surroundings): KvServerOptions {
  return {
    ...sharedOptions(config, around),
    storage: fileStorage(config.data),
    ...(members === undefined ? {} : { members }),
    ...(join === undefined ? {} : { join }),
  }
}

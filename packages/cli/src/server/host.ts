import type { ServerConfig } from './config.ts'
import type { Hosted, Surroundings } from './hosted.ts'
import { hostKv } from './kv.ts'
import { hostShards } from './shards.ts'

/** Starts what the configuration gives this node. @throws what the node throws: a folder of another, a port in use, a damaged log */
export async function host(config: ServerConfig, around: Surroundings): Promise<Hosted> {
  const { plan } = config
  switch (plan.kind) {
    case 'kv':
      return hostKv(plan, config, around)
    case 'shards':
      return hostShards(plan, config, around)
  }
}

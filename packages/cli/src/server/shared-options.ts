import type { RaftHostOptions } from '@lab/raft'
import { allTransports } from '../transports.ts'
import type { ServerConfig } from './config.ts'
import type { Surroundings } from './hosted.ts'

/** What `RaftNode.start`, `KvServer.start` and `RaftHost.start` alike take from the configuration. */
export function sharedOptions(
  { id, clusterId, listen, origins, insecure }: ServerConfig,
  { logger, trace, token, tls }: Surroundings,
): Omit<RaftHostOptions, 'storage'> & { readonly listen: readonly string[] } {
  return {
    ...{ id, clusterId, listen, origins, logger, transports: allTransports(tls) },
    ...(token === undefined ? {} : { token }),
    ...(insecure ? { insecure } : {}),
    ...(trace === undefined ? {} : { trace }),
  }
}

import { RaftClient, type RaftClientOptions } from '@lab/raft'
import { bytesCodec, type Address } from '@lab/rpc'
import type { Gid } from '@lab/shardctrler'
import type { Remote } from './migration.ts'

/** How groups are reached: `RaftClient`'s options, without the servers. */
export type GroupClientOptions = Pick<
  RaftClientOptions,
  | 'transport'
  | 'transports'
  | 'clusterId'
  | 'token'
  | 'timeout'
  | 'attemptTimeout'
  | 'rpcLimits'
  | 'clock'
  | 'random'
  | 'trace'
>

export type GroupClient = RaftClient<Uint8Array, Uint8Array, Uint8Array, Uint8Array>

const codecs = { codec: bytesCodec, resultCodec: bytesCodec, queryCodec: bytesCodec, answerCodec: bytesCodec }

/** A client for each group that was asked for, opened when it is. */
export class GroupClients {
  readonly #options: GroupClientOptions
  readonly #clients = new Map<Gid, { readonly client: GroupClient; servers: readonly Address[] }>()
  #isClosed = false

  constructor(options: GroupClientOptions) {
    this.#options = options
  }

  /** @returns null when nobody knows where the group is reached */
  of({ gid, servers }: Remote): GroupClient | null {
    if (servers.length === 0 || this.#isClosed) return null
    const known = this.#clients.get(gid)
    // Of one configuration the very same list each time: a call asks this.
    if (known !== undefined && (known.servers === servers || known.servers.join(' ') === servers.join(' '))) {
      known.servers = servers
      return known.client
    }
    void known?.client.close()
    const client: GroupClient = RaftClient.open({ ...this.#options, ...codecs, servers, group: gid })
    this.#clients.set(gid, { client, servers })
    return client
  }

  /** Lets go of all others. */
  keep(gids: ReadonlySet<Gid>): void {
    for (const [gid, { client }] of this.#clients) {
      if (gids.has(gid)) continue
      void client.close()
      this.#clients.delete(gid)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#clients.values()].map(({ client }) => client.close()))
    this.#clients.clear()
  }
}

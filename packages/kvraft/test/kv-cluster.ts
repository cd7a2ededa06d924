import { RaftCluster, type RaftClusterOptions } from '@lab/raft/testing'
import { seededRandom } from '@lab/rpc'
import { memory } from '@lab/rpc/memory'
import { Clerk } from '../src/clerk.ts'
import { storeCodecs } from '../src/codecs.ts'
import { COMMAND_BYTES_MAX } from '../src/limits.ts'
import { KvServer } from '../src/server.ts'
import { KvStore } from '../src/store.ts'

export interface KvCluster {
  readonly t: RaftCluster<KvStore>
  /** `name` is the clerk's end in `network.cut`. */
  readonly clerk: (name: string, servers?: readonly string[]) => Promise<Clerk>
  /** As `t.restart`, with watches and expiry. */
  readonly restart: (id: string) => Promise<void>
  /** The state of a server that runs. */
  readonly store: (id: string) => Promise<KvStore>
}

/** Real servers and clerks in virtual time. */
export async function kvCluster({
  seed = 1,
  servers = 3,
  snapshotEveryBytes = Infinity,
  historyBytes,
}: Pick<RaftClusterOptions<KvStore>, 'seed' | 'servers'> & {
  readonly snapshotEveryBytes?: number
  readonly historyBytes?: number
} = {}): Promise<KvCluster> {
  const t = await RaftCluster.start<KvStore>({
    ...{ seed, servers },
    stateMachine: () => new KvStore(historyBytes === undefined ? {} : { historyBytes }),
    options: { ...storeCodecs, snapshotEveryBytes, limits: { commandBytesMax: COMMAND_BYTES_MAX } },
  })
  const store = (id: string): Promise<KvStore> =>
    t.settle(t.node(id).read((machine) => machine, { consistency: 'stale' }))
  const serve = async (id: string): Promise<void> => {
    KvServer.serve(t.node(id), await store(id), t.clock)
  }
  for (const id of t.ids) await serve(id)
  let clerks = 0
  return {
    t,
    store,
    restart: async (id) => {
      await t.restart(id)
      await serve(id)
    },
    clerk: (name, ids = t.ids) => {
      const addresses = ids.map((id) => `memory://${id}`)
      const random = seededRandom(seed * 1000 + ++clerks)
      return t.settle(
        Clerk.connect({ servers: addresses, transport: memory(t.network, { name }), clock: t.clock, random }),
      )
    },
  }
}

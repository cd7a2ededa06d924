import { RaftCluster, type RaftClusterOptions } from '@lab/raft/testing'
import { seededRandom } from '@lab/rpc'
import { memory } from '@lab/rpc/memory'
import { Clerk } from '../src/clerk.ts'
import { storeCodecs } from '../src/codecs.ts'
import { COMMAND_BYTES_MAX } from '../src/limits.ts'
import { KvStore } from '../src/store.ts'

export interface KvCluster {
  readonly t: RaftCluster<KvStore>
  /** `name` is the clerk's end in `network.cut`. */
  readonly clerk: (name: string) => Promise<Clerk>
}

/** Real servers and clerks in virtual time. */
export async function kvCluster({
  seed = 1,
  servers = 3,
  snapshotEveryBytes = Infinity,
}: Pick<RaftClusterOptions<KvStore>, 'seed' | 'servers'> & {
  readonly snapshotEveryBytes?: number
} = {}): Promise<KvCluster> {
  const t = await RaftCluster.start<KvStore>({
    ...{ seed, servers, stateMachine: () => new KvStore() },
    options: { ...storeCodecs, snapshotEveryBytes, limits: { commandBytesMax: COMMAND_BYTES_MAX } },
  })
  let clerks = 0
  return {
    t,
    clerk: (name) => {
      const addresses = t.ids.map((id) => `memory://${id}`)
      const random = seededRandom(seed * 1000 + ++clerks)
      return t.settle(
        Clerk.connect({ servers: addresses, transport: memory(t.network, { name }), clock: t.clock, random }),
      )
    },
  }
}

/** One member of the cluster that keeps the store. */
import { RaftNode, type RaftNodeOptions } from '@lab/raft'
import { systemRandom } from '@lab/rpc'
import { storeCodecs } from './codecs.ts'
import { COMMAND_BYTES_MAX } from './limits.ts'
import { KvStore } from './store.ts'

/** What `RaftNode.start` takes, without the state machine and its codecs. */
export type KvServerOptions = Omit<RaftNodeOptions<KvStore>, 'stateMachine' | keyof typeof storeCodecs>

export class KvServer implements AsyncDisposable {
  /** The consensus below: status, metrics, events, and `read((store) => …)` within this process. */
  readonly node: RaftNode<KvStore>

  private constructor(node: RaftNode<KvStore>) {
    this.node = node
  }

  /** @throws what `RaftNode.start` throws: a folder of another node or cluster, a port in use, a damaged log */
  static async start(options: KvServerOptions): Promise<KvServer> {
    const limits = { commandBytesMax: COMMAND_BYTES_MAX, ...options.limits }
    const stateMachine = new KvStore({ hashSeed: (options.random ?? systemRandom).integer(0, 2 ** 31) })
    return new KvServer(await RaftNode.start({ ...options, ...storeCodecs, limits, stateMachine }))
  }

  /** Where clients and other members reach it, with the real port. */
  get address(): string {
    return this.node.address
  }

  async close(): Promise<void> {
    await this.node.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

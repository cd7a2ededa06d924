/** One member of the cluster that keeps the store. */
import { RaftNode, type RaftNodeOptions } from '@lab/raft'
import { implement, systemClock, systemRandom, type Implementation } from '@lab/rpc'
import { storeCodecs } from './codecs.ts'
import { commandCodec } from './commands.ts'
import { Expirer } from './expirer.ts'
import { COMMAND_BYTES_MAX } from './limits.ts'
import { OpeningWatch } from './opening-watch.ts'
import { KvStore } from './store.ts'
import { WatchHub } from './watch-hub.ts'
import { WatchService } from './watch-service.ts'

/** What `RaftNode.start` takes, without the state machine and its codecs. */
export type KvServerOptions = Omit<RaftNodeOptions<KvStore>, 'stateMachine' | keyof typeof storeCodecs>

export class KvServer implements AsyncDisposable {
  /** The consensus below: status, metrics, events, and `read((store) => …)` within this process. */
  readonly node: RaftNode<KvStore>
  readonly #watches: WatchHub

  private constructor(node: RaftNode<KvStore>, watches: WatchHub) {
    this.node = node
    this.#watches = watches
  }

  /** @throws what `RaftNode.start` throws: a folder of another node or cluster, a port in use, a damaged log */
  static async start(options: KvServerOptions): Promise<KvServer> {
    const { clock = systemClock, random = systemRandom } = options
    const limits = { commandBytesMax: COMMAND_BYTES_MAX, ...options.limits }
    const stateMachine = new KvStore({ hashSeed: random.integer(0, 2 ** 31) })
    const node = await RaftNode.start({ ...options, ...storeCodecs, limits, stateMachine })
    return KvServer.serve(node, stateMachine, clock)
  }

  /** Gives a node whose machine is `store` what a KV server has besides: watches, and keys that expire. */
  static serve(
    node: RaftNode<KvStore>,
    store: KvStore,
    clock: KvServerOptions['clock'] = systemClock,
  ): KvServer {
    const watches = new WatchHub(store, clock)
    const expire = commandCodec.encode({ op: 'expire' })
    const expirer = new Expirer({
      clock,
      nextExpiry: () => store.nextExpiry,
      propose: (signal) => node.propose(expire, { signal, attempts: 1 }),
    })
    store.listen(() => {
      watches.changed()
      expirer.changed()
    })
    node.whileLeader(({ signal }) => expirer.run(signal))
    node.server.add(watchImplementation(node, store, watches))
    return new KvServer(node, watches)
  }

  /** Where clients and other members reach it, with the real port. */
  get address(): string {
    return this.node.address
  }

  /** Watches open at this server. */
  get watches(): number {
    return this.#watches.size
  }

  async close(): Promise<void> {
    this.#watches.close()
    await this.node.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

function watchImplementation(node: RaftNode<KvStore>, store: KvStore, watches: WatchHub): Implementation {
  return implement(WatchService, {
    watch: ({ from, to, after }) => ({
      // Asked for with the first item: a watch from now on begins after all that was acknowledged before.
      [Symbol.asyncIterator]: () =>
        new OpeningWatch(async () => {
          if (after === null) await node.readBarrier()
          return watches.open({ from: from.slice(), to: to.slice() }, (after ?? store.revision) + 1)
        }),
    }),
  })
}

/** One member of the cluster that keeps the configurations. */
import { RaftNode, type LeaderContext, type RaftNodeOptions } from '@lab/raft'
import type { Address, Implementation } from '@lab/rpc'
import { controllerCodecs } from './codecs.ts'
import type { NewGroup } from './commands.ts'
import { ConfigWatches } from './config-watches.ts'
import { SHARDS_DEFAULT, SHARDS_MAX, type Gid, type KeyToShard } from './config.ts'
import { Controller } from './controller.ts'
import { ControllerError } from './errors.ts'

/** How a cluster that is new is made. Once it is, its log says so, and these change nothing. */
export interface Creation {
  /** How many there are, for good. Default 10, as in the labs; hundreds in real use: some ten for each group there may ever be. */
  readonly shards?: number | undefined
  /** Default `crc16`. */
  readonly keyToShard?: KeyToShard | undefined
  /** Groups that join first, with the addresses of their servers. Default: none. */
  readonly groups?: Readonly<Record<Gid, readonly Address[]>> | undefined
}

/** What `RaftNode.start` takes, without the state machine and its codecs; and how to make a cluster that is new. */
export type ControllerServerOptions = Omit<
  RaftNodeOptions<Controller>,
  'stateMachine' | keyof typeof controllerCodecs
> &
  Creation

export class ControllerServer implements AsyncDisposable {
  /** The consensus below: status, metrics, events, and `read((controller) => …)` within this process. */
  readonly node: RaftNode<Controller>
  readonly #watches: ConfigWatches
  readonly #service: Implementation

  private constructor(node: RaftNode<Controller>, watches: ConfigWatches, service: Implementation) {
    this.node = node
    this.#watches = watches
    this.#service = service
  }

  /**
   * @throws {ControllerError} `BAD_SHARD` when `shards` is not acceptable
   * @throws what `RaftNode.start` throws: a folder of another node or cluster, a port in use, a damaged log
   */
  static async start(options: ControllerServerOptions): Promise<ControllerServer> {
    const stateMachine = new Controller()
    checkCreation(options)
    const { shards, keyToShard, groups, ...nodeOptions } = options
    const node = await RaftNode.start({ ...nodeOptions, ...controllerCodecs, stateMachine })
    return ControllerServer.serve(node, stateMachine, { shards, keyToShard, groups })
  }

  /** Gives a node whose machine is `controller`, such as a group of a `RaftHost`, what a controller's server has besides. */
  static serve(
    node: RaftNode<Controller>,
    controller: Controller,
    creation: Creation = {},
  ): ControllerServer {
    const { shards, keyToShard, groups } = checkCreation(creation)
    const watches = new ConfigWatches(controller)
    const create = async ({ signal }: LeaderContext): Promise<void> => {
      const wait = { signal, timeout: Infinity }
      if (controller.latest === null) await node.propose({ op: 'create', shards, keyToShard }, wait)
      // Another leader may do the same at the same time: one of the two is refused.
      if (controller.latest?.num === 0 && groups.length > 0) await node.propose({ op: 'join', groups }, wait)
    }
    node.whileLeader(create).then(undefined, () => undefined)
    const service = watches.implementation()
    node.server.add(service)
    return new ControllerServer(node, watches, service)
  }

  /** Where clients and other members reach it, with the real port. */
  get address(): string {
    return this.node.address
  }

  async close(): Promise<void> {
    this.#watches.close()
    // The port may be a host's, which goes on, and may have a replica of the controller again.
    this.node.server.remove(this.#service)
    await this.node.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

interface CheckedCreation {
  readonly shards: number
  readonly keyToShard: KeyToShard
  readonly groups: readonly NewGroup[]
}

function checkCreation({
  shards = SHARDS_DEFAULT,
  keyToShard = 'crc16',
  groups = {},
}: Creation): CheckedCreation {
  if (!Number.isInteger(shards) || shards < 1 || shards > SHARDS_MAX)
    throw new ControllerError('BAD_SHARD', `shards is a whole number from 1 to ${SHARDS_MAX}, not ${shards}`)
  const joining = Object.entries(groups).map(([gid, servers]) => ({ gid: Number(gid), weight: 1, servers }))
  return { shards, keyToShard, groups: joining }
}

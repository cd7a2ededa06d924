/** An operator's ways to a sharded store: its controller, its machines, and each group's Raft. */
import { RaftClient, type RaftClientOptions } from '@lab/raft'
import { connect, type Client } from '@lab/rpc'
import { Clerk as ControllerClerk } from '@lab/shardctrler/clerk'
import { clientOptions, type ClientFlags, type ClientOptions, type ShardTarget } from '../client.ts'
import type { Io } from '../io.ts'
import { usage } from '../parse.ts'
import { HostService } from './host-service.ts'

export type HostClient = Client<(typeof HostService)['methods']>

/** One machine that is down must not hold up the others. */
const HOST_CONNECT_MS = 3000

export class ShardAdmin {
  readonly controller: ControllerClerk
  /** Its id. */
  readonly cluster: string
  /** Addresses of the machines that assign shards, as the cluster file has them. */
  readonly controllers: readonly string[]
  /** Node id → addresses. */
  readonly nodes: Readonly<Record<string, readonly string[]>>
  readonly timeout: number
  readonly signal: AbortSignal
  readonly #options: ClientOptions

  /** @throws {CliError} `USAGE` when the cluster is none of shards */
  static async connect(flags: ClientFlags, io: Io): Promise<ShardAdmin> {
    const options = clientOptions(flags, io, 'admin')
    if (options.shards === null)
      throw usage(
        flags.servers === undefined
          ? 'this is no sharded store: give --config FILE, or start one here with lab up --groups 3'
          : 'addresses do not say which machine is which: give --config FILE, the cluster file, instead of --servers',
      )
    const controller = await ControllerClerk.connect({
      ...options,
      servers: options.shards.controllers,
      role: 'admin',
    })
    return new ShardAdmin(controller, options, options.shards, io.signal)
  }

  private constructor(
    controller: ControllerClerk,
    options: ClientOptions,
    { nodes, controllers }: ShardTarget,
    signal: AbortSignal,
  ) {
    this.controller = controller
    this.cluster = options.clusterId
    this.controllers = controllers
    this.nodes = nodes
    this.timeout = options.timeout
    this.signal = signal
    this.#options = options
  }

  /** For one call. */
  get wait(): { readonly timeout: number; readonly signal: AbortSignal } {
    return { timeout: this.timeout, signal: this.signal }
  }

  /** `m4` of the cluster file, or `m4=tcp://…`. @throws {CliError} `USAGE` */
  node(named: string): { readonly id: string; readonly addresses: readonly string[] } {
    const at = named.indexOf('=')
    if (at > 0) return { id: named.slice(0, at), addresses: [named.slice(at + 1)] }
    const addresses = this.nodes[named]
    if (addresses !== undefined) return { id: named, addresses }
    throw usage(
      `there is no node ${named}: there are ${Object.keys(this.nodes).join(', ')}; or say ${named}=ADDRESS`,
    )
  }

  /** Works with a machine. @throws {RpcError} when it does not answer */
  async atHost<T>(addresses: readonly string[], work: (host: HostClient) => Promise<T>): Promise<T> {
    const { transports, clusterId, token } = this.#options
    const identity = { clusterId, role: 'admin' as const, ...(token === undefined ? {} : { token }) }
    const host = await connect(HostService, [...addresses], {
      ...{ transports: [...(transports ?? [])], identity, signal: this.signal },
      timeout: Math.min(this.timeout, HOST_CONNECT_MS),
    })
    try {
      return await work(host)
    } finally {
      host.close()
    }
  }

  /** Works with a group's Raft; 0 is the controller's. @param servers where some of them are */
  async atGroup<T>(
    group: number,
    servers: readonly string[],
    work: (client: RaftClient) => Promise<T>,
  ): Promise<T> {
    const { transports, clusterId, token, timeout } = this.#options
    const options: RaftClientOptions = {
      ...{ transports, clusterId, timeout, servers, group, role: 'admin' },
      ...(token === undefined ? {} : { token }),
    }
    const client = await RaftClient.connect(options)
    try {
      return await work(client)
    } finally {
      await client.close()
    }
  }

  async close(): Promise<void> {
    await this.controller.close()
  }
}

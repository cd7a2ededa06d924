/** Real servers in processes of their own, to be killed and stopped. */
import { join } from 'node:path'
import {
  startServerProcess,
  type ServerProcess,
  type ServerProcessOptions,
} from '../src/local/server-process.ts'
import { temporaryFolder } from './folder.ts'

/** The members, or the cluster file, of a server. */
export type ClusterOf = Pick<ServerProcessOptions, 'members' | 'config'>

export class RealServers {
  readonly folder = temporaryFolder()
  readonly #ports: Readonly<Record<string, number>>
  readonly #clusterId: string
  readonly #clusterOf: (id: string) => ClusterOf
  readonly #running = new Map<string, ServerProcess>()

  /**
   * @param ports where each listens, by its id
   * @param clusterOf what a server is told of the others. Default: that they are where they listen
   */
  constructor(
    ports: Readonly<Record<string, number>>,
    clusterOf?: (id: string) => ClusterOf,
    clusterId = 'lab',
  ) {
    this.#ports = ports
    this.#clusterId = clusterId
    this.#clusterOf =
      clusterOf ?? (() => ({ members: Object.fromEntries(this.ids.map((id) => [id, this.address(id)])) }))
  }

  get ids(): string[] {
    return Object.keys(this.#ports)
  }

  get addresses(): string[] {
    return this.ids.map((id) => this.address(id))
  }

  address(id: string): string {
    return `tcp://127.0.0.1:${String(this.#ports[id])}`
  }

  data(id: string): string {
    return join(this.folder, id)
  }

  async start(id: string): Promise<void> {
    const cluster = this.#clusterOf(id)
    const server = startServerProcess({
      id,
      ...cluster,
      clusterId: this.#clusterId,
      data: this.data(id),
      log: join(this.folder, `${id}.log`),
      // The cluster file says where it listens.
      more: cluster.config === undefined ? ['--listen', this.address(id)] : [],
    })
    this.#running.set(id, server)
    await server.ready
  }

  async kill(id: string): Promise<void> {
    const server = this.#running.get(id)
    server?.kill('SIGKILL')
    await server?.exited
  }

  /** As an init system does. @returns how it ended */
  async stop(id: string): Promise<string> {
    const server = this.#running.get(id)
    server?.kill('SIGTERM')
    return server === undefined ? 'not running' : server.exited
  }

  signal(id: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running.get(id)?.kill(signal)
  }

  async killAll(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.kill(id)))
  }
}

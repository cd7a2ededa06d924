/** Real servers in processes of their own, to be killed and stopped. */
import { join } from 'node:path'
import { startServerProcess, type ServerProcess } from '../src/local/server-process.ts'
import { temporaryFolder } from './folder.ts'

export class RealServers {
  readonly folder = temporaryFolder()
  readonly #ports: Readonly<Record<string, number>>
  readonly #membersOf: (id: string) => Readonly<Record<string, string>>
  readonly #running = new Map<string, ServerProcess>()

  /**
   * @param ports where each listens, by its id
   * @param membersOf where a server reaches the others. Default: where they listen
   */
  constructor(
    ports: Readonly<Record<string, number>>,
    membersOf?: (id: string) => Readonly<Record<string, string>>,
  ) {
    this.#ports = ports
    this.#membersOf = membersOf ?? (() => Object.fromEntries(this.ids.map((id) => [id, this.address(id)])))
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
    const server = startServerProcess({
      id,
      members: this.#membersOf(id),
      clusterId: 'lab',
      data: this.data(id),
      log: join(this.folder, `${id}.log`),
      more: ['--listen', this.address(id)],
    })
    this.#running.set(id, server)
    await server.ready
  }

  async kill(id: string): Promise<void> {
    const server = this.#running.get(id)
    server?.kill('SIGKILL')
    await server?.exited
  }

  signal(id: string, signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#running.get(id)?.kill(signal)
  }

  async killAll(): Promise<void> {
    await Promise.all(this.ids.map((id) => this.kill(id)))
  }
}

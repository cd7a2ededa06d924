/** The machines of a sharded store, each a process of its own with replicas of several groups, and `lab` as their operator runs it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigFile } from '../src/server/config-file.ts'
import { freePorts } from '../src/local/ports.ts'
import { lab, type Ran } from './fake-io.ts'
import { RealServers } from './real-servers.ts'

export const MACHINES = ['m1', 'm2', 'm3', 'm4']
const CONTROLLERS_MAX = 3
/** Groups 100, 101, 102, each on three of the four. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  100: ['m1', 'm2', 'm3'],
  101: ['m2', 'm3', 'm4'],
  102: ['m3', 'm4', 'm1'],
}

export interface MachinesOptions extends Pick<ConfigFile, 'tls' | 'tokens' | 'groups'> {
  readonly cluster?: string
  /** Their names: the first three, or as many as there are, have the controller. Default: {@link MACHINES}. */
  readonly ids?: readonly string[]
  readonly shards?: number
  readonly scheme?: 'tcp' | 'tls'
  /** Of every command. */
  readonly flags?: readonly string[]
}

export class RealMachines {
  readonly servers: RealServers
  /** The cluster file. */
  readonly config: string
  /** Addresses of the machines of the controller. */
  readonly controllers: readonly string[]
  readonly #flags: readonly string[]

  static async start(options?: MachinesOptions): Promise<RealMachines> {
    const machines = await RealMachines.prepare(options)
    await machines.startAll()
    return machines
  }

  /** Not started yet. */
  static async prepare(options?: MachinesOptions): Promise<RealMachines> {
    const ids = options?.ids ?? MACHINES
    const free = await freePorts(ids.length)
    return new RealMachines(Object.fromEntries(ids.map((id, at) => [id, free[at] as number])), options)
  }

  private constructor(ports: Readonly<Record<string, number>>, options: MachinesOptions = {}) {
    const { scheme = 'tcp', cluster = 'lab', shards = 16, groups = GROUPS, flags = [], tls, tokens } = options
    const nodes = Object.fromEntries(
      Object.entries(ports).map(([id, port]) => [id, `${scheme}://127.0.0.1:${String(port)}`]),
    )
    this.servers = new RealServers(ports, () => ({ config: this.config }), cluster)
    this.config = join(this.servers.folder, 'lab.json')
    const controller = Object.keys(ports).slice(0, CONTROLLERS_MAX)
    this.controllers = controller.map((id) => nodes[id] as string)
    this.#flags = flags
    const file = { cluster, shards, nodes, controller, groups, tls, tokens }
    writeFileSync(this.config, JSON.stringify(file))
  }

  async startAll(): Promise<void> {
    await Promise.all(this.servers.ids.map((id) => this.servers.start(id)))
  }

  /** A command of the operator. */
  lab(...argv: readonly string[]): Promise<Ran> {
    return lab([...argv, '--config', this.config, ...this.#flags], { cwd: this.servers.folder })
  }
}

/** The machines of a sharded store, each a process of its own with replicas of several groups, and `lab` as their operator runs it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigFile } from '../src/server/config-file.ts'
import { freePorts } from '../src/local/ports.ts'
import { lab, type Ran } from './fake-io.ts'
import { RealServers } from './real-servers.ts'

export const MACHINES = ['m1', 'm2', 'm3', 'm4']
const CONTROLLER = ['m1', 'm2', 'm3']
/** Groups 100, 101, 102, each on three of the four. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  100: ['m1', 'm2', 'm3'],
  101: ['m2', 'm3', 'm4'],
  102: ['m3', 'm4', 'm1'],
}

export interface MachinesOptions extends Pick<ConfigFile, 'tls' | 'tokens' | 'groups'> {
  readonly cluster?: string
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

  /** Starts all of them. */
  static async start(options: MachinesOptions = {}): Promise<RealMachines> {
    const free = await freePorts(MACHINES.length)
    const machines = new RealMachines(
      Object.fromEntries(MACHINES.map((id, at) => [id, free[at] as number])),
      options,
    )
    await Promise.all(MACHINES.map((id) => machines.servers.start(id)))
    return machines
  }

  constructor(ports: Readonly<Record<string, number>>, options: MachinesOptions = {}) {
    const { scheme = 'tcp', cluster = 'lab', shards = 16, groups = GROUPS, flags = [], ...more } = options
    const nodes = Object.fromEntries(
      Object.entries(ports).map(([id, port]) => [id, `${scheme}://127.0.0.1:${String(port)}`]),
    )
    this.servers = new RealServers(ports, () => ({ config: this.config }), cluster)
    this.config = join(this.servers.folder, 'lab.json')
    this.controllers = CONTROLLER.map((id) => nodes[id] as string)
    this.#flags = flags
    const file: ConfigFile & { readonly nodes: unknown } = {
      ...{ cluster, shards, controller: CONTROLLER, groups, ...more },
      nodes: nodes as unknown as NonNullable<ConfigFile['nodes']>,
    }
    writeFileSync(this.config, JSON.stringify(file))
  }

  /** A command of the operator. */
  lab(...argv: readonly string[]): Promise<Ran> {
    return lab([...argv, '--config', this.config, ...this.#flags], { cwd: this.servers.folder })
  }
}

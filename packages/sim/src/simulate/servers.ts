import { toError, type Milliseconds } from '@lab/rpc'
import type { ProcessEnd, SimProcess } from '../machine/machine.ts'
import type { World } from '../world.ts'
import type { Cluster, Scenario } from './scenario.ts'

export interface ServersOptions<S> {
  readonly world: World
  readonly scenario: Pick<Scenario<S>, 'start' | 'isFinal'>
  readonly cluster: Cluster
  /** Kept up to date: those that run. */
  readonly servers: Map<string, S>
  readonly onEnd: (node: string) => void
}

/** How long a server that ended by itself stays down. */
const RESTART_MS: Milliseconds = 300

/** Starts servers, and those that end by themselves again, as the supervisor of a real machine does. */
export class Servers<S> {
  readonly #options: ServersOptions<S>
  /** Machines on which nothing is started any more. */
  readonly #lost = new Set<string>()
  /** The process of each machine that runs. */
  readonly #lives = new Map<string, SimProcess>()

  constructor(options: ServersOptions<S>) {
    this.#options = options
    for (const node of this.#all) options.world.add(node)
  }

  get running(): ReadonlyMap<string, S> {
    return this.#options.servers
  }

  /** Those that are down. */
  startAll(): void {
    for (const node of this.#all) if (!this.#options.world.machine(node).isUp) this.start(node)
  }

  get #all(): readonly string[] {
    const { nodes, spares } = this.#options.cluster
    return [...nodes, ...spares]
  }

  start(node: string): void {
    if (this.#lost.has(node)) return
    const { world, scenario, cluster, servers } = this.#options
    const host = world.machine(node).boot()
    scenario.start(host, cluster).then(
      (server) => {
        if (this.#lives.get(node) === host) servers.set(node, server)
      },
      (thrown: unknown) => {
        host.exit(toError(thrown).message, { forGood: scenario.isFinal?.(thrown) === true })
      },
    )
    this.#lives.set(node, host)
  }

  /** A process has ended; one that ended by itself is started again. */
  ended(node: string, end: ProcessEnd): void {
    const { world, servers, onEnd } = this.#options
    if (!this.#lives.delete(node)) return // a client's machine
    servers.delete(node)
    onEnd(node)
    if (end === null) return
    world.trace?.({ n: node, k: 'stop', why: end.why })
    if (end.forGood) this.#lost.add(node)
    world.clock.setTimer(RESTART_MS, () => {
      if (!world.machine(node).isUp) this.start(node)
    })
  }
}

/** The real processes: started, killed with a signal that cannot be caught, started again on what their disks hold. */
import { join } from 'node:path'
import { membersOf, startServerProcess, type FiledPlan, type ServerProcess, type TraceFile } from '@lab/cli'

/** What the story is told from afterwards. Entries, messages and single operations would drown it. */
const MOVES = ['configured', 'created', 'frozen', 'waiting', 'installed', 'thawed', 'deleted', 'restored']
const TRACE_KINDS = [
  ...['start', 'stop', 'role', 'refuse', 'truncate', 'snapshot', 'invariant', 'note'],
  ...MOVES.map((what) => `shard.${what}`),
].join(',')

export interface MachinesOptions {
  readonly plan: FiledPlan
  /** Folder of the trace files. */
  readonly traces: string
  /** Hears of every kill and every start. */
  readonly trace: TraceFile
}

export class Machines {
  readonly #options: MachinesOptions
  readonly #members: Readonly<Record<string, string>>
  readonly #running = new Map<string, ServerProcess>()

  constructor(options: MachinesOptions) {
    this.#options = options
    this.#members = membersOf(options.plan)
  }

  get ids(): string[] {
    return Object.keys(this.#members)
  }

  /** Where they are reached. */
  get addresses(): string[] {
    return Object.values(this.#members)
  }

  isRunning(id: string): boolean {
    return this.#running.has(id)
  }

  /** Resolves when all of them serve. @throws {CliError} when one ends instead */
  async start(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#startOne(id)))
  }

  /** SIGKILL: no handler runs, nothing is flushed, the kernel closes files and sockets. Resolves when they are dead. */
  async kill(ids: readonly string[]): Promise<void> {
    const processes = ids.flatMap((id) => this.#running.get(id) ?? [])
    this.#tell('fault', { what: `SIGKILL ${ids.join(' ')}` })
    for (const server of processes) server.kill('SIGKILL')
    await Promise.all(processes.map(({ exited }) => exited))
  }

  /** Resolves when all have ended in good order. */
  async stop(): Promise<void> {
    const processes = [...this.#running.values()]
    for (const server of processes) server.kill('SIGTERM')
    await Promise.all(processes.map(({ exited }) => exited))
  }

  /** At once, when this process is about to end. */
  killNow(): void {
    for (const server of this.#running.values()) server.kill('SIGKILL')
  }

  async #startOne(id: string): Promise<void> {
    const { plan, traces } = this.#options
    const node = plan.nodes[id]
    if (node === undefined) throw new Error(`no machine ${id} in the plan`)
    this.#tell('note', { topic: 'demo', text: `starts ${id}` })
    const server = startServerProcess({
      ...{ id, config: plan.config, clusterId: plan.cluster },
      ...{ data: node.data, log: node.log },
      more: ['--trace', join(traces, `${id}.jsonl`), '--trace-kinds', TRACE_KINDS],
    })
    this.#running.set(id, server)
    void server.exited.then(() => this.#running.delete(id))
    await server.ready
  }

  #tell(k: 'fault' | 'note', fields: Readonly<Record<string, string>>): void {
    this.#options.trace.sink({ n: '', k, ...fields })
  }
}

/** Where the demo writes: folders below `.lab` of the checkout, and nothing outside it. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  holderOf,
  openTraceFile,
  planCluster,
  shardedPlan,
  startCluster,
  type LocalTransport,
  type FiledPlan,
  type ShardedSize,
  type TraceFile,
} from '@lab/cli'
import { UsageError } from './options.ts'

export interface WorkplaceOptions extends ShardedSize {
  /** The cluster is to stay: then it lies where `lab` looks for it. */
  readonly keep: boolean
  readonly count: number
  readonly transport: LocalTransport
}

export class Workplace {
  /** Of data and logs. */
  readonly folder: string
  readonly plan: FiledPlan
  /** Of what does not stay, whoever keeps the cluster. */
  readonly demo: string
  /** Folder of the trace files: they stay, so that the run can be looked at again. */
  readonly traces: string
  /** What the demo itself has to tell. */
  readonly trace: TraceFile

  /**
   * Makes room: what an earlier run left is removed, a cluster that runs is not.
   *
   * @throws {UsageError} when there is one
   */
  static async prepare(
    root: string,
    { keep, count, transport, groups, shards }: WorkplaceOptions,
  ): Promise<Workplace> {
    const lab = join(root, '.lab')
    const demo = join(lab, 'demo')
    const folder = keep ? lab : demo
    if (keep && existsSync(join(lab, 'cluster.json')))
      throw new UsageError('--keep: there is a cluster here already; npx lab down --wipe removes it')
    const machines = await planCluster(folder, { count, transport, letter: 'm' })
    for (const { data } of Object.values(machines.nodes))
      if ((await holderOf(data)) !== null) throw new UsageError('another npm start runs in this checkout')
    const plan = shardedPlan(folder, machines, { groups, shards })
    for (const name of ['data', 'log']) rmSync(join(folder, name), { recursive: true, force: true })
    rmSync(join(demo, 'trace'), { recursive: true, force: true })
    return new Workplace(folder, plan, demo)
  }

  private constructor(folder: string, plan: FiledPlan, demo: string) {
    this.folder = folder
    this.plan = plan
    this.demo = demo
    this.traces = join(demo, 'trace')
    this.trace = openTraceFile(join(this.traces, 'demo.jsonl'), { what: 'npm start', nodes: [] })
  }

  /** Of the machines' data, by id. */
  get folders(): Record<string, string> {
    return Object.fromEntries(Object.entries(this.plan.nodes).map(([id, { data }]) => [id, data]))
  }

  /** Starts the machines once more, to outlive this process. @param keys some of those loaded @returns what to try with them */
  async keepRunning(keys: readonly string[]): Promise<string> {
    await startCluster(this.folder, this.plan, { detached: true })
    const gets = keys.map((key) => `npx lab kv get ${key} · `).join('')
    return `left running: ${gets}npx lab shard status · npx lab down --wipe`
  }

  /** Removes data and logs. */
  clear(): void {
    for (const name of ['data', 'log']) rmSync(join(this.folder, name), { recursive: true, force: true })
  }

  close(): void {
    this.trace.close()
  }
}

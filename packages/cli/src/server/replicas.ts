/** The replicas on one machine: those of the cluster file at its first start, then those that it was told to run. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Logger, RaftHost, ServerStatus } from '@lab/raft'
import { RpcError } from '@lab/rpc'
import { Controller, ControllerServer, controllerCodecs, type Creation } from '@lab/shardctrler'
import { GROUP_OPERATIONS, type ShardHost } from '@lab/shardkv'
import type { ReplicaStart } from '../shards/host-service.ts'
import type { HostedGroup } from './hosted.ts'
import { narrator } from './narrate.ts'

export const CONTROLLER_GROUP = 0

export interface ReplicasOptions {
  readonly host: RaftHost
  readonly shards: ShardHost
  readonly creation: Creation
  /** The file that remembers them. */
  readonly path: string
  readonly logger: Logger
  readonly onFatal: (error: Error) => void
}

interface Running {
  readonly group: HostedGroup
  readonly close: () => Promise<void>
}

export class Replicas {
  readonly #options: ReplicasOptions
  readonly #narrate: (group: HostedGroup) => void
  readonly #wanted: Map<number, ReplicaStart>
  readonly #running = new Map<number, Running>()
  /** One change after the other: the file and the groups shall not disagree. */
  #last: Promise<unknown> = Promise.resolve()

  /** @param first what runs here when nothing is remembered: at the first start */
  constructor(options: ReplicasOptions, first: readonly ReplicaStart[]) {
    this.#options = options
    this.#narrate = narrator(options.logger)
    const { path } = options
    const remembered = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ReplicaStart[]) : first
    this.#wanted = new Map(remembered.map((start) => [start.group, start]))
  }

  /** Those that run now. */
  get groups(): readonly HostedGroup[] {
    return this.numbers.flatMap((number) => this.#running.get(number)?.group ?? [])
  }

  /** Of the groups, ascending. */
  get numbers(): readonly number[] {
    return [...this.#running.keys()].sort((a, b) => a - b)
  }

  /** What one of them says of its group; null when none runs. */
  status(group: number): ServerStatus | null {
    return this.#running.get(group)?.group.node.status() ?? null
  }

  async startAll(): Promise<void> {
    this.#remember()
    // Together: what they write first is one write then.
    await Promise.all([...this.#wanted.values()].map((start) => this.#begin(start)))
  }

  start(start: ReplicaStart): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#running.has(start.group)) {
        checkSame(this.#wanted.get(start.group), start)
        return
      }
      await this.#begin(start)
      this.#wanted.set(start.group, start)
      this.#remember()
    })
  }

  /** Stops it and removes its data. */
  stop(group: number): Promise<void> {
    return this.#inTurn(async () => {
      const running = this.#running.get(group)
      if (running === undefined) return
      this.#wanted.delete(group)
      this.#remember()
      this.#running.delete(group)
      await running.close()
      await this.#options.host.removeGroup(group)
    })
  }

  async #begin(start: ReplicaStart): Promise<void> {
    const { group, members, join } = start
    const who = { ...(members === undefined ? {} : { members }), ...(join === undefined ? {} : { join }) }
    if (group === CONTROLLER_GROUP) await this.#beginController(who)
    else {
      const replica = await this.#options.shards.startGroup({ gid: group, ...who })
      const hosted = { name: `shards-${group}`, node: replica.node, operations: GROUP_OPERATIONS }
      this.#add(group, hosted, () => replica.close())
    }
  }

  async #beginController(who: Pick<ReplicaStart, 'members' | 'join'>): Promise<void> {
    const { host, creation } = this.#options
    const stateMachine = new Controller()
    const node = await host.startGroup({ ...who, ...controllerCodecs, group: CONTROLLER_GROUP, stateMachine })
    const server = ControllerServer.serve(node, stateMachine, creation)
    this.#add(CONTROLLER_GROUP, { name: 'controller', node }, () => server.close())
  }

  #add(group: number, hosted: HostedGroup, close: () => Promise<void>): void {
    hosted.node.on('fatal', ({ error }) => {
      this.#options.onFatal(error)
    })
    this.#narrate(hosted)
    this.#running.set(group, { group: hosted, close })
  }

  /** Whole or not at all. */
  #remember(): void {
    const { path } = this.#options
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.new`, `${JSON.stringify([...this.#wanted.values()], null, 2)}\n`, { flush: true })
    renameSync(`${path}.new`, path)
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

/**
 * Told to begin with other members than it did, a group would begin twice.
 *
 * @throws {RpcError} `BAD_REQUEST`
 */
function checkSame(running: ReplicaStart | undefined, { group, members }: ReplicaStart): void {
  if (members === undefined || running?.members === undefined) return
  const [before, now] = [running.members, members].map((ids) => Object.keys(ids).sort().join(' '))
  if (before !== now)
    throw new RpcError('BAD_REQUEST', `group ${group} runs here, and began with ${before ?? ''}`)
}

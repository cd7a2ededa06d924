/**
 * Servers and clients of this package in the simulator of `@lab/sim`: the same driver, log format, RPC and client that users
 * run, on simulated machines.
 */
import type { Codec, Milliseconds, Random } from '@lab/rpc'
import type { Cluster, FaultName, Model, Operation, Scenario, SimProcess } from '@lab/sim'
import { RaftClient } from '../../client.ts'
import { RaftNode, type CommandOf, type NodeStatus, type ResultOf } from '../../node.ts'
import type { RaftNodeOptions } from '../../options.ts'
import type { StateMachine } from '../../state-machine.ts'
import { StorageError } from '../../storage.ts'
import type { FileStorageOptions } from '../../storage/file/file-host-storage.ts'
import { fileStorage } from '../../storage/file/file-storage.ts'
import { Operator } from './operator.ts'
import { RaftWatcher } from './watcher.ts'

export interface RaftScenarioOptions<M extends StateMachine, Op> {
  readonly name: string
  /** A fresh machine for each start of a server. */
  readonly stateMachine: () => M
  /** What a client does next. */
  readonly draw: (random: Random, place: { readonly client: string; readonly count: number }) => Op
  /** The command that it proposes. Default: `op` itself. */
  readonly command?: (op: Op) => CommandOf<M>
  /** What the service must look like to its clients. Without one only Raft's own promises are watched. */
  readonly model?: Model<unknown, Op, ResultOf<M>>
  readonly codec?: Codec<CommandOf<M>>
  readonly resultCodec?: Codec<ResultOf<M>>
  /** Of the whole state: equal on all servers that have applied the same. */
  readonly digest?: (machine: M) => string
  /** Looks at a machine at the end, with all that clients saw. Throws, saying what is wrong. */
  readonly judge?: (machine: M, operations: readonly Operation<Op, ResultOf<M>>[]) => void
  readonly nodes?: readonly number[]
  readonly clients?: readonly number[]
  /** Default: `op` is proposed, as {@link RaftScenarioOptions.command} has it. */
  readonly perform?: (
    client: RaftClient<CommandOf<M>, ResultOf<M>>,
    op: Op,
    timeout: Milliseconds,
  ) => Promise<ResultOf<M>>
  /** Whether lease reads are allowed: then give `clockDriftMax`. */
  readonly leases?: boolean
  readonly clockDriftMax?: number
  /** Default: all. */
  readonly faults?: readonly FaultName[]
  /** Default: drawn by the seed. */
  readonly operationsPerSecond?: number
  /** How long a client waits for one server before it asks another. Default 300 ms. */
  readonly attemptTimeout?: Milliseconds
  /** How long a client tries. Default 1 s. */
  readonly callTimeout?: Milliseconds
  /** Who changes the cluster, made anew for each run, in which part of all seeds, and how often. Default: an {@link Operator}, as scenarios do. */
  readonly operator?: () => Pick<Operator<RaftServer<M>>, 'act'> & { check?(): void }
  readonly operateShare?: number
  readonly operateGapMs?: Milliseconds
}

/** One server and what it replicates. */
export interface RaftServer<M extends StateMachine = StateMachine> {
  readonly node: RaftNode<M>
  readonly machine: M
}

/** Servers that wait to be added. */
const SPARES = 2
const CALL_TIMEOUT_MS = 1000

/** Proposals to a state machine of yours, on servers that crash and networks that fail. */
export function raftScenario<M extends StateMachine, Op>(
  options: RaftScenarioOptions<M, Op>,
): Scenario<RaftServer<M>, RaftClient<CommandOf<M>, ResultOf<M>>, Op, ResultOf<M>> {
  const { name, stateMachine, draw, codec, resultCodec, model, nodes, digest, judge } = options
  const { leases, clockDriftMax, faults, operationsPerSecond, perform, attemptTimeout } = options
  const { operateShare, operateGapMs, callTimeout = CALL_TIMEOUT_MS } = options
  const codecs = {
    ...(codec === undefined ? {} : { codec }),
    ...(resultCodec === undefined ? {} : { resultCodec }),
  }
  const switches = leases === true
  const makeOperator: NonNullable<typeof options.operator> =
    options.operator ?? (() => new Operator<RaftServer<M>>(({ node }) => node, { leases: switches }))
  let operator = makeOperator()
  return {
    name,
    draw,
    ...(nodes === undefined ? {} : { nodes }),
    ...(options.clients === undefined ? {} : { clients: options.clients }),
    ...(model === undefined ? {} : { model }),
    ...(clockDriftMax === undefined ? {} : { clockDriftMax }),
    ...(faults === undefined ? {} : { faults }),
    ...(operationsPerSecond === undefined ? {} : { operationsPerSecond }),
    ...(operateShare === undefined ? {} : { operateShare }),
    ...(operateGapMs === undefined ? {} : { operateGapMs }),
    async start(host, cluster) {
      const machine = stateMachine()
      const node = await RaftNode.start<M>({
        ...nodeOptions(host, cluster),
        ...codecs,
        ...(leases === undefined ? {} : { leases }),
        stateMachine: machine,
      })
      node.on('fatal', ({ error }) => host.exit(error.message, { forGood: isFinal(error) }))
      return { node, machine }
    },
    connect: (host, { addresses }) =>
      RaftClient.connect<CommandOf<M>, ResultOf<M>>({
        ...clientOptions(host, addresses),
        ...codecs,
        ...(attemptTimeout === undefined ? {} : { attemptTimeout }),
      }),
    perform: (client, op) =>
      perform?.(client, op, callTimeout) ??
      client.propose(options.command?.(op) ?? op, { timeout: callTimeout }),
    leader: (servers) => leaderOf([...servers.values()].map(({ node }) => node.status())),
    isFinal,
    spares: SPARES,
    operate: (draw, operated) => operator.act(draw, operated),
    watch: (run) => {
      operator = makeOperator()
      return new RaftWatcher<RaftServer<M>, Op, ResultOf<M>>({
        ...run,
        statusOf: ({ node }) => node.status(),
        check: () => operator.check?.(),
        ...(digest === undefined ? {} : { digestOf: ({ machine }) => digest(machine) }),
        ...(judge === undefined ? {} : { judge: ({ machine }, operations) => judge(machine, operations) }),
      })
    },
  }
}

/** What `RaftNode.start` needs on a simulated machine: small segments and frequent snapshots, so that seconds see many of both. */
export function nodeOptions(
  host: SimProcess,
  cluster: Cluster,
): Omit<RaftNodeOptions<never>, 'stateMachine' | 'codec' | 'resultCodec' | 'queryCodec' | 'answerCodec'> {
  const { id, clock, random, transport, trace } = host
  return {
    ...{ id, clock, random, transport },
    ...(cluster.joins.has(id)
      ? { join: cluster.addresses, listen: `memory://${id}` }
      : { members: membersOf(cluster) }),
    storage: fileStorage(`data-${id}`, nodeStorageOptions(host)),
    snapshotEveryBytes: SNAPSHOT_EVERY_BYTES,
    ...(trace === undefined ? {} : { trace }),
  }
}

/** Those that the cluster begins with. */
export function membersOf({
  nodes,
  addresses,
}: Pick<Cluster, 'nodes' | 'addresses'>): Record<string, string> {
  return Object.fromEntries(nodes.map((node, at) => [node, addresses[at] as string]))
}

/** What `fileStorage` and `fileHostStorage` need on a simulated machine. */
export function nodeStorageOptions({ disk, random }: SimProcess): FileStorageOptions {
  return { disk, random, segmentBytes: SEGMENT_BYTES, sparesMax: 1 }
}

const SEGMENT_BYTES = 16 * 1024
const SNAPSHOT_EVERY_BYTES = 6 * 1024

/** What `RaftClient.connect` and clients built on it need on a simulated machine. */
export function clientOptions(
  { clock, random, transport, trace }: SimProcess,
  addresses: readonly string[],
): Pick<
  Parameters<typeof RaftClient.connect>[0],
  'servers' | 'transport' | 'clock' | 'random' | 'trace' | 'attemptTimeout'
> {
  const attemptTimeout = 300
  return {
    servers: addresses,
    clock,
    random,
    transport,
    attemptTimeout,
    ...(trace === undefined ? {} : { trace }),
  }
}

/** Of those that say that they lead, the one of the latest term. */
export function leaderOf(servers: readonly NodeStatus[]): string | null {
  let leader: NodeStatus | null = null
  for (const status of servers)
    if (status.role === 'leader' && status.term > (leader?.term ?? 0)) leader = status
  return leader?.id ?? null
}

/** A disk found damaged is for people to look at: such a server stays down. */
export function isFinal(thrown: unknown): boolean {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (error instanceof StorageError && error.code === 'CORRUPT') return true
  return false
}

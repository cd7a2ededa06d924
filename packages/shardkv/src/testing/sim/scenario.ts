/**
 * The sharded store in the simulator of `@lab/sim`: four machines that host three controllers and three groups of three, clients
 * that write and read, and operators who have groups join, leave and swap shards, while machines crash, pause and lose each other.
 */
import { performKv } from '@lab/kvraft/testing/sim'
import { RaftHost } from '@lab/raft'
import { fileHostStorage } from '@lab/raft/storage/file'
import { clientOptions, isFinal, leaderOf } from '@lab/raft/testing/sim'
import type { Random } from '@lab/rpc'
import { Clerk as ControllerClerk, Controller, ControllerServer, controllerCodecs } from '@lab/shardctrler'
import {
  kvModel,
  type Cluster,
  type KvOp,
  type KvResult,
  type Model,
  type Scenario,
  type SimProcess,
} from '@lab/sim'
import { Clerk } from '../../clerk.ts'
import { ShardHost } from '../../shard-host.ts'
import { ShardWatcher } from './watcher.ts'

/** What an operator does. Refusals are answers, too. */
export type MoveOp =
  | { readonly op: 'join' | 'leave'; readonly gid: number }
  | { readonly op: 'move'; readonly shard: number; readonly gid: number }

export type ShardOp = KvOp | MoveOp

/** One machine's process. */
export interface ShardServer {
  readonly host: RaftHost
  readonly shards: ShardHost
  /** On machines that run one. */
  readonly controller: Controller | null
}

export interface ShardClerks {
  readonly clerk: Clerk
  readonly controller: ControllerClerk
}

export const SHARDS = 8
export const GROUPS: Readonly<Record<number, readonly string[]>> = {
  100: ['n1', 'n2', 'n3'],
  101: ['n2', 'n3', 'n4'],
  102: ['n1', 'n3', 'n4'],
}
const CONTROLLERS = ['n1', 'n2', 'n3']
const GIDS = [100, 101, 102]
const KEYS = 6
/** How long a clerk tries. */
const CALL_TIMEOUT_MS = 1500
/** Small, so that seconds see many segments and snapshots. */
const SEGMENT_BYTES = 16 * 1024
const SNAPSHOT_EVERY_BYTES = 6 * 1024

/** Operators' changes explain themselves. */
const model: Model<string | null, ShardOp, KvResult> = {
  ...kvModel,
  name: 'shards',
  key: (op) => (isMove(op) ? '' : op.key),
  step: (state, op, result) => (isMove(op) ? { state } : kvModel.step(state, op, result)),
  isRead: (op) => isMove(op) || op.op === 'get',
  removable: (operation, others) =>
    isMove(operation.op) || kvModel.removable?.(operation as never, others as never) === true,
  describe: (op, result) => (isMove(op) ? JSON.stringify(op) : (kvModel.describe?.(op, result) ?? '')),
}

export function shardScenario(): Scenario<ShardServer, ShardClerks, ShardOp, KvResult> {
  return {
    name: 'shards',
    nodes: [4],
    model,
    draw,
    start,
    connect,
    perform,
    leader: (servers) =>
      leaderOf(
        [...servers.values()].flatMap(({ shards }) =>
          [...shards.groups.values()].map(({ node }) => node.status()),
        ),
      ),
    isFinal,
    watch: (run) => new ShardWatcher(run),
  }
}

export function isMove(op: ShardOp): op is MoveOp {
  return op.op === 'join' || op.op === 'leave' || op.op === 'move'
}

function draw(
  random: Random,
  { client, count }: { readonly client: string; readonly count: number },
): ShardOp {
  const gid = GIDS[random.integer(0, GIDS.length - 1)] as number
  const dice = random.next()
  // Nobody serves anything before the first join, nor if the last group left.
  if (count === 1) return { op: 'join', gid: GIDS[0] as number }
  if (dice < 0.04) return { op: 'join', gid }
  if (dice < 0.06 && gid !== GIDS[0]) return { op: 'leave', gid }
  if (dice < 0.12) return { op: 'move', shard: random.integer(0, SHARDS - 1), gid }
  const key = `${String(random.integer(1, KEYS))}k`
  const value = `${client}.${String(count)};`
  if (dice < 0.5) return { op: 'get', key }
  if (dice < 0.65) return { op: 'put', key, value }
  if (dice < 0.95) return { op: 'append', key, value }
  return { op: 'delete', key }
}

async function start(machine: SimProcess, { nodes, addresses }: Cluster): Promise<ShardServer> {
  const { id, clock, random, disk, transport, trace } = machine
  const seams = { clock, random, transport, ...(trace === undefined ? {} : { trace }) }
  const at = (node: string): string => addresses[nodes.indexOf(node)] as string
  const membersOf = (members: readonly string[]): Record<string, string> =>
    Object.fromEntries(members.map((node) => [node, at(node)]))
  const host = await RaftHost.start({
    ...{ ...seams, id, listen: at(id) },
    storage: fileHostStorage(`data-${id}`, { disk, random, segmentBytes: SEGMENT_BYTES, sparesMax: 1 }),
  })
  const controllers = CONTROLLERS.map(at)
  const shards = new ShardHost({ ...seams, host, controllers, attemptTimeout: 300 })
  const options = { snapshotEveryBytes: SNAPSHOT_EVERY_BYTES }
  const exit = ({ error }: { readonly error: Error }): void =>
    machine.exit(error.message, { forGood: isFinal(error) })
  let controller: ShardServer['controller'] = null
  if (CONTROLLERS.includes(id)) {
    const stateMachine = new Controller()
    const members = membersOf(CONTROLLERS)
    const node = await host.startGroup({ ...options, group: 0, members, stateMachine, ...controllerCodecs })
    ControllerServer.serve(node, stateMachine, { shards: SHARDS, keyToShard: 'first-byte' })
    node.on('fatal', exit)
    controller = stateMachine
  }
  for (const [gid, members] of Object.entries(GROUPS)) {
    if (!members.includes(id)) continue
    const group = await shards.startGroup({ ...options, gid: Number(gid), members: membersOf(members) })
    group.node.on('fatal', exit)
  }
  return { host, shards, controller }
}

async function connect(machine: SimProcess, { addresses }: Cluster): Promise<ShardClerks> {
  const controllers = addresses.slice(0, CONTROLLERS.length)
  const options = { ...clientOptions(machine, controllers), timeout: 20_000, connectTimeout: 20_000 }
  return {
    clerk: await Clerk.connect({ ...options, controllers }),
    controller: await ControllerClerk.connect(options),
  }
}

async function perform({ clerk, controller }: ShardClerks, op: ShardOp): Promise<KvResult> {
  const options = { timeout: CALL_TIMEOUT_MS }
  switch (op.op) {
    case 'join': {
      const members = GROUPS[op.gid] ?? []
      await controller.join({ [op.gid]: members.map((node) => `memory://${node}`) }, options).catch(ignored)
      return null
    }
    case 'leave':
      await controller.leave([op.gid], options).catch(ignored)
      return null
    case 'move':
      await controller.move(op.shard, op.gid, options).catch(ignored)
      return null
    default:
      return performKv(clerk, op, CALL_TIMEOUT_MS)
  }
}

/** A group that is there already, or not; or nobody knows: whatever comes of it is a configuration like another. */
function ignored(): void {
  return undefined
}

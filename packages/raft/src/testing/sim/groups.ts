/**
 * The scenario `groups`: processes that are members of several groups each, on one log, one connection to each other process and
 * one beat. A host that crashes takes all its groups with it; what each group promises must hold as if it were alone.
 */
import { type Random, type TraceEvent } from '@lab/rpc'
import {
  registerModel,
  type Operation,
  type RegisterOp,
  type RegisterResult,
  type Scenario,
  type SimProcess,
  type Watched,
  type Watcher,
} from '@lab/sim'
import { RaftClient } from '../../client.ts'
import type { RaftNode } from '../../node.ts'
import { RaftHost } from '../../raft-host.ts'
import { fileHostStorage } from '../../storage/file/file-host-storage.ts'
import { registersMachine, type RegistersMachine, type RegistersWrite } from './registers.ts'
import { clientOptions, isFinal, leaderOf, membersOf, nodeStorageOptions } from './scenario.ts'
import { RaftWatcher } from './watcher.ts'

/** One of each is idle most of the time: groups that are quiet rest on the beat of their process. */
const GROUPS = [1, 2, 3, 4] as const
/** Of the operations, to the first group; the rest is spread over all. */
const BUSY_SHARE = 0.7
const KEYS = 2
const CALL_TIMEOUT_MS = 1000

/** A process with its groups. */
export interface GroupsServer {
  readonly host: RaftHost
  readonly members: ReadonlyMap<
    number,
    { readonly node: RaftNode<RegistersMachine>; readonly machine: RegistersMachine }
  >
}

export interface GroupsOp {
  readonly group: number
  readonly op: RegisterOp
}

type Clients = ReadonlyMap<number, RaftClient<RegistersWrite, RegisterResult>>

export function groupsScenario(): Scenario<GroupsServer, Clients, GroupsOp, RegisterResult> {
  return {
    name: 'groups',
    start,
    async connect(host, { addresses }) {
      const clients = GROUPS.map(async (group) => {
        const options = { ...clientOptions(host, addresses), group }
        return [group, await RaftClient.connect<RegistersWrite, RegisterResult>(options)] as const
      })
      return new Map(await Promise.all(clients))
    },
    draw,
    perform,
    model: {
      name: 'registers of groups',
      key: ({ group, op }) => `group ${group} ${op.key}`,
      init: () => null as string | null,
      step: (state, { op }, result) => registerModel.step(state as string | null, op, result),
      stateKey: (state) => registerModel.stateKey?.(state as string | null) ?? '',
      isRead: ({ op }) => op.op === 'read',
      describe: ({ group, op }, result) => `group ${group}: ${registerModel.describe?.(op, result) ?? op.op}`,
    },
    leader: (servers) => leaderOf([...servers.values()].map((server) => nodeOf(server, GROUPS[0]).status())),
    isFinal,
    watch: (run) => new GroupsWatcher(run),
  }
}

async function start(
  place: SimProcess,
  cluster: { readonly nodes: readonly string[]; readonly addresses: readonly string[] },
): Promise<GroupsServer> {
  const { id, clock, random, transport, trace } = place
  const host = await RaftHost.start({
    ...{ id, clock, random, transport, listen: `memory://${id}` },
    storage: fileHostStorage(`data-${id}`, { ...nodeStorageOptions(place), segmentBytes: SEGMENT_BYTES }),
    ...(trace === undefined ? {} : { trace }),
  })
  const starting = GROUPS.map(async (group) => {
    const machine = registersMachine()
    const node = await host.startGroup({
      ...{ group, members: membersOf(cluster), stateMachine: machine },
      snapshotEveryBytes: SNAPSHOT_EVERY_BYTES,
    })
    node.on('fatal', ({ error }) => place.exit(error.message, { forGood: isFinal(error) }))
    return [group, { node, machine }] as const
  })
  return { host, members: new Map(await Promise.all(starting)) }
}

/** A few batches: so that a group which rests sees segment after segment go by, and its entries are written again. */
const SEGMENT_BYTES = 4 * 1024
/** Small, as four groups share the writes that one has elsewhere. */
const SNAPSHOT_EVERY_BYTES = 3 * 1024

function draw(
  random: Random,
  { client, count }: { readonly client: string; readonly count: number },
): GroupsOp {
  const group = random.next() < BUSY_SHARE ? GROUPS[0] : (GROUPS[random.integer(0, GROUPS.length - 1)] ?? 1)
  const key = `r${String(random.integer(1, KEYS))}`
  const value = `${client}.${String(count)}`
  const dice = random.next()
  if (dice < 0.45) return { group, op: { op: 'read', key } }
  if (dice < 0.9) return { group, op: { op: 'write', key, value } }
  return { group, op: { op: 'cas', key, value, expected: null } }
}

async function perform(clients: Clients, { group, op }: GroupsOp): Promise<RegisterResult> {
  const client = clients.get(group)
  if (client === undefined) throw new Error(`no client of group ${group}`)
  const options = { timeout: CALL_TIMEOUT_MS }
  return op.op === 'read'
    ? ((await client.read(op.key, options)) as string | null)
    : client.propose(op, options)
}

function nodeOf({ members }: GroupsServer, group: number): RaftNode<RegistersMachine> {
  return memberOf(members, group).node
}

function memberOf<M>(members: ReadonlyMap<number, M>, group: number): M {
  const member = members.get(group)
  if (member === undefined) throw new Error(`group ${group} does not run`)
  return member
}

/** Each group is watched as a cluster of its own. */
class GroupsWatcher implements Watcher<GroupsOp, RegisterResult> {
  readonly #watchers: ReadonlyMap<number, RaftWatcher<GroupsServer, GroupsOp, RegisterResult>>

  constructor(run: Watched<GroupsServer>) {
    this.#watchers = new Map(
      GROUPS.map((group) => {
        const statusOf = (server: GroupsServer): ReturnType<RaftNode['status']> =>
          nodeOf(server, group).status()
        const digestOf = ({ members }: GroupsServer): string =>
          JSON.stringify(Object.entries(memberOf(members, group).machine.state).sort())
        return [
          group,
          new RaftWatcher<GroupsServer, GroupsOp, RegisterResult>({ ...run, statusOf, digestOf }),
        ]
      }),
    )
  }

  event(event: TraceEvent): void {
    const own = event.g === undefined ? undefined : this.#watchers.get(event.g)
    if (own !== undefined) own.event(event)
    else for (const watcher of this.#watchers.values()) watcher.event(event)
  }

  step(): void {
    for (const watcher of this.#watchers.values()) watcher.step()
  }

  ended(node: string): void {
    for (const watcher of this.#watchers.values()) watcher.ended(node)
  }

  hasConverged(): boolean {
    return [...this.#watchers.values()].every((watcher) => watcher.hasConverged())
  }

  end(operations: readonly Operation<GroupsOp, RegisterResult>[]): void {
    for (const watcher of this.#watchers.values()) watcher.end(operations)
  }
}

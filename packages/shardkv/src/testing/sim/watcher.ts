/** What must hold of a sharded store at every step, and when all is quiet again. */
import type { TraceEvent } from '@lab/rpc'
import { crc32 } from '@lab/raft/rsm'
import { mustHold, type Operation, type Watched, type Watcher } from '@lab/sim'
import { shardOf } from '@lab/shardctrler'
import { TraceChecker, formatViolation } from '@lab/trace'
import type { ShardGroup } from '../../group.ts'
import { GROUPS, type ShardOp, type ShardServer } from './scenario.ts'

const encoder = new TextEncoder()

/**
 * Rules of Raft for each group and of shards over all of them, at each event; the states of replicas against each other at the end.
 */
export class ShardWatcher implements Watcher<ShardOp> {
  readonly #run: Watched<ShardServer>
  readonly #checker = new TraceChecker()

  constructor(run: Watched<ShardServer>) {
    this.#run = run
  }

  event(event: TraceEvent): void {
    // Messages are many, and what they lead to is told by other events.
    if (event.k === 'send' || event.k === 'recv' || event.k === 'drop') return
    const [violation] = this.#checker.feed(event)
    mustHold(violation === undefined, violation === undefined ? '' : formatViolation(violation))
    if (event.k === 'shard' && event['what'] === 'write') this.#checkKey(event)
  }

  /** Every group has applied the same newest configuration, and nothing is on its way or held for others. */
  hasConverged(): boolean {
    const groups = Object.keys(GROUPS).map((gid) => this.#replicas(Number(gid)))
    // Of a machine whose disk was found damaged there is one at most: a majority of every group is there.
    if (groups.some((replicas) => replicas.length < 2)) return false
    const newest = this.#newest()
    return groups.every((replicas) => {
      const last = Math.max(...replicas.map(({ node }) => node.status().lastIndex))
      return replicas.every(({ node, machine: { migration } }) => {
        const isQuiet = [...migration.states.values()].every(
          (state) => state.name === 'serving' || (state.name === 'frozen' && state.to.gid === 0),
        )
        return isQuiet && migration.num === newest && node.status().appliedIndex === last
      })
    })
  }

  /** Nothing orphaned, nothing twice, every key in its shard, and replicas of a group equal. */
  end(_operations: readonly Operation<ShardOp>[]): void {
    for (const gid of Object.keys(GROUPS).map(Number)) {
      const [first, ...others] = this.#replicas(gid)
      if (first === undefined) continue
      const { config } = first.machine.migration
      for (const [shard, { name }] of first.machine.migration.states) {
        const owner = config?.shards[shard]
        mustHold(
          name === 'serving' ? owner === gid : owner === 0,
          `group ${gid} has shard ${shard}, which belongs to group ${owner ?? '?'}`,
        )
        this.#checkKeys(first, shard)
      }
      mustHold(
        first.machine.shards.size === first.machine.migration.states.size,
        `group ${gid} holds stores of shards that it knows nothing of`,
      )
      for (const other of others)
        mustHold(digest(other) === digest(first), `replicas of group ${gid} have applied the same and differ`)
    }
  }

  /** Of all that the controllers that run have applied. */
  #newest(): number {
    const controllers = [...this.#run.servers.values()].flatMap(({ controller }) => controller ?? [])
    return Math.max(0, ...controllers.map(({ latest }) => latest?.num ?? 0))
  }

  #replicas(gid: number): ShardGroup[] {
    return [...this.#run.servers.values()].flatMap(({ shards }) => shards.groups.get(gid) ?? [])
  }

  #checkKey(event: TraceEvent): void {
    const { shard, key } = event as TraceEvent & { readonly shard: number; readonly key: string }
    const config = [...this.#run.servers.values()]
      .flatMap(({ shards }) => [...shards.groups.values()])
      .map(({ machine }) => machine.migration.config)
      .find((each) => each !== null)
    if (config === undefined || config === null) return
    mustHold(shardOf(config, encoder.encode(key)) === shard, `${key} was written to shard ${shard}`)
  }

  #checkKeys({ machine }: ShardGroup, shard: number): void {
    const { config } = machine.migration
    const store = machine.shards.get(shard)?.store
    if (config === null || store === undefined) return
    const { entries } = store.scan({
      op: 'scan',
      from: new Uint8Array(0),
      to: new Uint8Array(0),
      limit: 4096,
      keysOnly: true,
    })
    for (const { key } of entries)
      mustHold(shardOf(config, key) === shard, `shard ${shard} holds a key of another`)
  }
}

/** Of a whole replica: equal on all that have applied the same. */
function digest({ machine }: ShardGroup): number {
  let digest = 0
  for (const chunk of machine.snapshot()) digest = crc32(chunk, 0, chunk.length, digest)
  return digest
}

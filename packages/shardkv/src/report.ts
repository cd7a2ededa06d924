import type { ShardMachine } from './machine.ts'
import type { GroupStatus, ShardReport } from './shard-service.ts'

/** What `lab shard status` shows of a group. */
export function reportOf({ gid, migration, shards, arrivals }: ShardMachine, isLeader: boolean): GroupStatus {
  const reports = [...migration.states]
    .sort(([a], [b]) => a - b)
    .map(([shard, state]): ShardReport => {
      const store = shards.get(shard)
      return {
        ...{ shard, state: state.name },
        num: state.name === 'serving' ? 0 : state.num,
        other: state.name === 'serving' ? 0 : state.name === 'frozen' ? state.to.gid : state.from.gid,
        keys: store?.store.size ?? 0,
        bytes: store?.store.dataBytes ?? arrivals.get(shard)?.dataBytes ?? 0,
        operations: store?.operations ?? 0,
      }
    })
  return { gid, num: migration.num, isLeader, shards: reports }
}

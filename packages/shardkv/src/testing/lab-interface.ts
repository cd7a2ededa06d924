/** What a sharded key/value service must look like to be tested by the labs' suite of part 4B. {@link shardLab} has the tests. */
import type { LabClerk } from '@lab/kvraft/testing'
import type { LabDescribe, LabEnv, LabInstance, LabPeer, LabPersister } from '@lab/raft/testing'
import type { LabMakeController, LabMakeControllerClerk } from '@lab/shardctrler/testing'

/** Where a server of a group finds itself. */
export interface LabShardPlace {
  /** The ways to all servers of its group, for the Raft below; `peers[me]` is this server itself. */
  readonly peers: readonly LabPeer[]
  readonly me: number
  /** Holds what earlier lives of this server saved. */
  readonly persister: LabPersister
  /** Make a snapshot when the Raft's state gets so large, in bytes; −1: make none. */
  readonly maxRaftState: number
  readonly gid: number
  /** The ways to the controllers, for a clerk of theirs. */
  readonly controllers: readonly LabPeer[]
  /** The way to any server of any group, by the name that stands in a configuration. */
  readonly reach: (server: string) => LabPeer
}

/**
 * Makes one server, from scratch or after a crash. A key's shard is its first byte modulo ten. What groups ask of each other are
 * methods among `handlers`.
 */
export type LabMakeShardServer = (place: LabShardPlace, env: LabEnv) => LabInstance

export type LabShardClerk = LabClerk

/** Makes one client. */
export type LabMakeShardClerk = (
  place: Pick<LabShardPlace, 'controllers' | 'reach'>,
  env: Pick<LabEnv, 'clock' | 'random' | 'note'>,
) => LabShardClerk

export interface ShardLabOptions {
  /** Part 4A: yours, or the one of `@lab/shardctrler/testing`. */
  readonly makeController: LabMakeController
  readonly makeControllerClerk: LabMakeControllerClerk
  readonly makeServer: LabMakeShardServer
  readonly makeClerk: LabMakeShardClerk
  /** What a call's arguments or reply say, for the trace. Default: a JSON object as it is, nothing of bytes. */
  readonly describe?: LabDescribe
}

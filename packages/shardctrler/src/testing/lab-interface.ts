/** What a shard controller must look like to be tested by the labs' suite of part 4A. {@link controllerLab} has the tests. */
import type { LabDescribe, LabEnv, LabInstance, LabPeer, LabPersister } from '@lab/raft/testing'

/** Part 4A has ten shards. */
export const LAB_SHARDS = 10

/** One configuration, as the labs have it. */
export interface LabConfig {
  /** From 0, the one without groups. */
  readonly num: number
  /** The group of each of the ten shards; 0 for none. */
  readonly shards: readonly number[]
  /** Names of each group's servers, in the order in which they were given. */
  readonly groups: Readonly<Record<number, readonly string[]>>
}

/** One server: the configurations, with a Raft of your choice below them. */
export interface LabControllerServer extends LabInstance {
  /** What its Raft says of itself. */
  getState(): { readonly term: number; readonly isLeader: boolean }
}

/**
 * Makes one server, from scratch or after a crash.
 *
 * @param peers the ways to all servers, for the Raft below; `peers[me]` is this server itself
 * @param persister holds what earlier lives of this server saved
 */
export type LabMakeController = (
  peers: readonly LabPeer[],
  me: number,
  persister: LabPersister,
  env: LabEnv,
) => LabControllerServer

/** A client. It is called once at a time, and tries until it has an answer. */
export interface LabControllerClerk {
  /** The configuration of that number; the latest for −1, and for a number that is too large. */
  query(num: number): Promise<LabConfig>
  join(groups: Readonly<Record<number, readonly string[]>>): Promise<void>
  leave(gids: readonly number[]): Promise<void>
  move(shard: number, gid: number): Promise<void>
}

/**
 * Makes one client.
 *
 * @param servers the ways to all servers, in an order of its own: nobody tells it which leads
 */
export type LabMakeControllerClerk = (
  servers: readonly LabPeer[],
  env: Pick<LabEnv, 'clock' | 'random' | 'note'>,
) => LabControllerClerk

export interface ControllerLabOptions {
  readonly makeServer: LabMakeController
  readonly makeClerk: LabMakeControllerClerk
  /** What a call's arguments or reply say, for the trace. Default: a JSON object as it is, nothing of bytes. */
  readonly describe?: LabDescribe
}

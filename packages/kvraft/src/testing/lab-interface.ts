/** What a key/value service must look like to be tested by the labs' suite of part 3. {@link kvLab} has the tests. */
import type { LabDescribe, LabEnv, LabInstance, LabPeer, LabPersister } from '@lab/raft/testing'

/** One server: a store, with a Raft of your choice below it. */
export interface LabKvServer extends LabInstance {
  /** What its Raft says of itself. */
  getState(): { readonly term: number; readonly isLeader: boolean }
}

/**
 * Makes one server, from scratch or after a crash.
 *
 * @param peers the ways to all servers, for the Raft below; `peers[me]` is this server itself
 * @param persister holds what earlier lives of this server saved
 * @param maxRaftState make a snapshot when the Raft's state gets so large, in bytes; −1: make none (part 3A)
 */
export type LabMakeKvServer = (
  peers: readonly LabPeer[],
  me: number,
  persister: LabPersister,
  maxRaftState: number,
  env: LabEnv,
) => LabKvServer

/** A client. It is called once at a time, and tries until it has an answer. */
export interface LabClerk {
  /** Linearizable; '' when there is no such key. */
  get(key: string): Promise<string>
  put(key: string, value: string): Promise<void>
  append(key: string, value: string): Promise<void>
}

/**
 * Makes one client.
 *
 * @param servers the ways to all servers, in an order of its own: nobody tells it which leads
 */
export type LabMakeClerk = (
  servers: readonly LabPeer[],
  env: Pick<LabEnv, 'clock' | 'random' | 'note'>,
) => LabClerk

export interface KvLabOptions {
  readonly makeServer: LabMakeKvServer
  readonly makeClerk: LabMakeClerk
  /** What a call's arguments or reply say, for the trace. Default: a JSON object as it is, nothing of bytes. */
  readonly describe?: LabDescribe
}

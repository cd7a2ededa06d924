/** What a server process keeps running, whatever it serves: seen by its life (run.ts) and by its admin port. */
import type { Logger, RaftNode } from '@lab/raft'
import type { Address, RoleTokens, ServerMetrics, TraceSink } from '@lab/rpc'
import type { TlsKeys } from '@lab/rpc/tls'

/** What whatever is hosted gets from the process. */
export interface Surroundings {
  readonly logger: Logger
  readonly trace?: TraceSink | undefined
  readonly token?: string | RoleTokens | undefined
  readonly tls?: TlsKeys | undefined
}

/** A Raft group that this process is a member of. */
export interface HostedGroup {
  /** As logs, metrics and checks call it: `kv`, `controller`, `shards-100`. */
  readonly name: string
  /** Of a group that answers operations of a store: names for what its log holds besides, by the numbers of `requestKinds`. */
  readonly operations?: ReadonlyMap<number | null, string>
  readonly node: Pick<RaftNode, 'id' | 'on' | 'status' | 'metrics' | 'transferLeadership'>
}

export interface Hosted {
  /** Complete, with real ports. */
  readonly addresses: readonly Address[]
  readonly rpc: () => ServerMetrics
  /** Those that run now: they may come and go. */
  readonly groups: () => readonly HostedGroup[]
  /** For people: what it says of itself when it has started, such as `cluster prod of m1 m2 m3`. */
  readonly summary: string
  /** For programs: what its start-up line holds besides. */
  readonly row: Readonly<Record<string, unknown>>
  /** Rejects when it cannot go on: a disk that failed. Never resolves. */
  readonly failed: Promise<never>
  close(): Promise<void>
}

import type { ShardLabCluster } from './lab-cluster.ts'

/** One of the labs' tests: what happens to groups and clients, and what must then be true. */
export interface Scenario {
  /** The labs' name, without `Test` and part. */
  readonly name: string
  /** Whether the network delays and loses. */
  readonly unreliable?: boolean
  /** −1: no snapshots. */
  readonly maxRaftState: number
  readonly play: (lab: ShardLabCluster) => Promise<void>
}

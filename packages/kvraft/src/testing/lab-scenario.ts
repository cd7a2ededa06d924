import type { LabPart } from '@lab/raft/testing'
import type { KvLabCluster } from './lab-cluster.ts'

/** One of the labs' tests: what happens to a cluster and its clients, and what must then be true. */
export interface Scenario {
  /** The labs' name, without `Test` and part. */
  readonly name: string
  readonly part: LabPart
  readonly servers: number
  /** Whether the network delays and loses. */
  readonly unreliable?: boolean
  /** −1: no snapshots. */
  readonly maxRaftState: number
  readonly play: (lab: KvLabCluster) => Promise<void>
}

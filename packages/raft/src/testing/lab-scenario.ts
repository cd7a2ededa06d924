import type { LabCluster } from './lab-cluster.ts'
import type { LabPart } from './lab-interface.ts'

/** One of the labs' tests: what happens to a cluster, and what must then be true. */
export interface Scenario {
  /** The labs' name, without `Test` and part. */
  readonly name: string
  readonly part: LabPart
  readonly servers: number
  /** Whether the network delays and loses from the start. */
  readonly unreliable?: boolean
  /** The service makes a snapshot after index 9, 19, 29 … (part 2D). */
  readonly snapshots?: boolean
  readonly play: (lab: LabCluster) => Promise<void>
}

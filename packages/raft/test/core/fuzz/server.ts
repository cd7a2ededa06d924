import type { Raft } from '../../../src/core/raft.ts'
import type { Index, NodeId } from '../../../src/types.ts'

/** A core, and what the driver around it remembers. */
export interface Server {
  readonly id: NodeId
  /** Null while it is down. */
  core: Raft | null
  /** Counts disks: another one is another incarnation. */
  incarnation: number
  /** Counts starts: what an earlier life waited for is not delivered to the next. */
  life: number
  /** On the cluster's clock. */
  deadline: number
  /** How fast its own clock runs: leases allow for some difference. */
  readonly rate: number
  /** The machine: what was applied last, and the state as one number. */
  applied: Index
  state: number
  restoring: boolean
  readonly reads: Map<number, Index>
}

export function makeServer(id: NodeId, rate: number): Server {
  return {
    id,
    core: null,
    incarnation: 0,
    life: 0,
    deadline: Infinity,
    rate,
    applied: 0,
    state: 0,
    restoring: false,
    reads: new Map(),
  }
}

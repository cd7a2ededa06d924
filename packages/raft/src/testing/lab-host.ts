import type { LabRaft } from './lab-interface.ts'
import { MemoryPersister } from './lab-persister.ts'
import type { LabState } from './lab-safety.ts'
import type { LabService } from './lab-service.ts'

/** What the cluster keeps of one server over all its lives. */
export interface Host {
  readonly name: string
  /** Counts up at each start and each crash: what belongs to an earlier number is a ghost's. */
  life: number
  raft: LabRaft | null
  persister: MemoryPersister
  service: LabService | null
  /** Names of this life's ends, by whom they lead to. */
  ends: readonly string[]
  connected: boolean
  /** Its state will be looked at when the present turn is over. */
  lookDue: boolean
  /** What was seen last, for the trace. */
  seen: LabState
}

/** Nothing runs yet, and the disk is empty. */
export function newHost(name: string): Host {
  return {
    name,
    life: 0,
    raft: null,
    persister: new MemoryPersister(),
    service: null,
    ends: [],
    connected: false,
    lookDue: false,
    seen: { term: 0, isLeader: false },
  }
}

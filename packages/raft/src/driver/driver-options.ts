import type { Clock, Milliseconds } from '@lab/rpc'
import type { Envelope } from '../core/messages.ts'
import type { Raft } from '../core/raft.ts'
import type { Change } from '../core/ready.ts'
import type { Entry } from '../entry.ts'
import type { RaftError } from '../errors.ts'
import type { ReplicatedMachine } from '../rsm/replicated-machine.ts'
import type { Storage } from '../storage.ts'
import type { NodeId, SnapshotMeta } from '../types.ts'
import type { Precedence } from './precedence.ts'
import type { RequestKinds } from './request-meter.ts'
import type { RaftTrace } from './trace-events.ts'

export interface DriverOptions {
  readonly core: Raft
  readonly clock: Clock
  readonly storage: Storage
  readonly machine: ReplicatedMachine
  readonly limits: DriverLimits
  readonly trace: RaftTrace | null
  readonly send: (envelopes: readonly Envelope[]) => void
  /** Is the last chunk of a snapshot for this peer still on its way out? */
  readonly sendingSnapshot: (to: NodeId) => boolean
  /** A deadline has come: `act` on it, now or when there is room for one more election. */
  readonly whenDue: (act: () => void) => void
  readonly observer: DriverObserver
  /** Who comes first while this server starts. */
  readonly precedence: Pick<Precedence, 'givesWay' | 'atWork' | 'restPerSlice'>
  /** By the first byte unless given. */
  readonly requestKinds?: RequestKinds | undefined
}

export interface DriverLimits {
  readonly snapshotEveryBytes: number
  readonly trailingBytes: number
  /** Proposals that wait at this server, and their bytes: then BUSY. */
  readonly proposalsMax: number
  readonly proposalBytesMax: number
  /** How long one of them may wait, about: then BUSY for those that would wait longer. */
  readonly proposalWaitMs: Milliseconds
  readonly stallMs: number
}

/** Who is told what happens; called in the midst of a turn, so it must only take note. */
export interface DriverObserver {
  changed(change: Change): void
  applied(entry: Entry): void
  stalled(lateMs: number): void
  tookSnapshot(meta: SnapshotMeta, bytes: number, ms: number): void
  /** This server has stopped for good. */
  failed(error: RaftError): void
}

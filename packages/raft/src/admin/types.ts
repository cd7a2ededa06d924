/** What operators ask and are told. All of it travels as JSON. */
import type { MembershipChange } from '../core/membership-change.ts'
import type { Index, Membership, NodeId, Term } from '../types.ts'

export type AdminMethod = 'change' | 'transfer' | 'stepDown' | 'membership'

export interface ChangeRequest {
  readonly change: MembershipChange
  readonly ifIndex?: Index | undefined
}

export interface TransferRequest {
  /** Null: whoever has most of the log. */
  readonly to: NodeId | null
}

/** Who takes part, as the leader has it. */
export interface MembershipReport {
  readonly membership: Membership
  /** Where it stands in the log: for `ifIndex` of the next change. */
  readonly index: Index
  /** False while a change is under way. */
  readonly committed: boolean
}

/** Who leads now. */
export interface Handover {
  /** Null when the old leader has left office and does not know yet who comes. */
  readonly leader: NodeId | null
  readonly term: Term
}

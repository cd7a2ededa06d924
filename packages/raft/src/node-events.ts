import type { RaftError } from './errors.ts'
import type { Index, Membership, NodeId, Role, Term } from './types.ts'

/** What `node.on` tells. Listeners are called in the midst of the node's work: take note, and do the work elsewhere. */
export interface NodeEvents {
  /** This server's role or term changed, or it learned of another leader. */
  role: { readonly role: Role; readonly term: Term; readonly leader: NodeId | null; readonly why: string }
  /** Somebody else leads, or nobody that this server knows of. */
  leader: { readonly leader: NodeId | null; readonly term: Term }
  /** An entry was applied here. */
  applied: { readonly index: Index; readonly term: Term }
  /** Another configuration is in force. `difference` says in words how the `members` of the options differ from the log's: told once, to the first listener. */
  membership: { readonly membership: Membership; readonly index: Index; readonly difference: string | null }
  /** The event loop stood still for so long: look for what blocks it. */
  stall: { readonly lateMs: number }
  /** This server has stopped for good; it is closed already. Who listens only afterwards is told too. */
  fatal: { readonly error: RaftError }
}

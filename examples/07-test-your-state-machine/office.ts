// A ticket office, right and wrong. Each seat is sold once; the answer says whether it was sold to you.
import { stateMachine, type JsonStateMachine } from '@lab/raft'

export interface Sale {
  seat: string
  to: string
}

export type Office = JsonStateMachine<{ sold: Record<string, string> }, Sale, boolean, never, unknown>

/** Keeps who has which seat in its state, which snapshots hold. */
export function rightOffice(): Office {
  return stateMachine({ initial: { sold: {} }, apply: ({ sold }, sale: Sale) => sell(sold, sale) })
}

/** Keeps it beside its state. All is well until a server starts from a snapshot: a fine thing to find on a Sunday night. */
export function forgetfulOffice(): Office {
  const sold: Record<string, string> = {}
  return stateMachine({ initial: { sold: {} }, apply: (_state, sale: Sale) => sell(sold, sale) })
}

function sell(sold: Record<string, string>, { seat, to }: Sale): boolean {
  if (sold[seat] !== undefined) return false
  sold[seat] = to
  return true
}

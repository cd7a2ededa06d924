/**
 * Telling a server from what stands in its place under the same id after its disk was lost (trap: a wiped server has forgotten its
 * votes, and must not vote again under its old id). The configuration names the incarnation of every member that was added; of
 * the members of the bootstrap each server remembers the first that it met.
 */
import { isMember } from '../core/membership.ts'
import type { Membership, NodeId } from '../types.ts'

/** `same`: who is meant. `new`: to be remembered before it is listened to. `wiped`: not to be listened to. */
export type Judgement = 'same' | 'new' | 'wiped'

/**
 * @param agreed what the configuration says, or undefined
 * @param remembered what was met first, or undefined
 */
export function judge(
  incarnation: string,
  agreed: string | undefined,
  remembered: string | undefined,
): Judgement {
  const known = agreed ?? remembered
  if (known === undefined) return 'new'
  return known === incarnation ? 'same' : 'wiped'
}

/** The incarnation of `id` in the newest of `configurations` that names it; undefined when that does not say. */
export function agreedIncarnation(configurations: readonly Membership[], id: NodeId): string | undefined {
  const newest = configurations.findLast((membership) => isMember(membership, id))
  return newest !== undefined && Object.hasOwn(newest.incarnations, id) ? newest.incarnations[id] : undefined
}

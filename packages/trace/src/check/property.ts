import type { TraceEvent, TraceKind } from '@lab/rpc'
import type { RuleName } from './rules.ts'
import type { Server, World } from './world.ts'

/**
 * Looks at one event, before {@link World.update} takes note of it; may keep notes of its own.
 *
 * @param server where the event happened
 * @returns what was seen, with servers and numbers, when the event breaks the rule; null otherwise
 */
export type Look = (event: TraceEvent, server: Server, world: World) => string | null

/** One rule that a trace must obey. */
export interface Property {
  readonly rule: RuleName
  /** Of events that it looks at: of no others can it say anything. */
  readonly kinds: readonly TraceKind[]
  /** Starts anew: one for each group of each trace. */
  readonly watch: () => Look
}

/** `4@7`: the entry at index 4, of term 7. */
export function at(index: number, term: number): string {
  return `${String(index)}@${String(term)}`
}

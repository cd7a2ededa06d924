/** Fields of an event, which may come from a file that anybody wrote: whatever is not what it should be counts as missing. */
import type { TraceEvent } from '@lab/rpc'

/** A whole number ≥ 0. */
export function numberOf(event: TraceEvent, field: string): number | undefined {
  const value = event[field]
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** A text that is not empty. */
export function textOf(event: TraceEvent, field: string): string | undefined {
  const value = event[field]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Texts; what else is in the list is left out. */
export function textsOf(event: TraceEvent, field: string): readonly string[] | undefined {
  const value = event[field]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : undefined
}

/** A call of a client whose operation is an object, as a simulator draws it: with the object's fields as its own. Other events as they are. */
export function callOf(event: TraceEvent): TraceEvent {
  if (event.k !== 'call' && event.k !== 'return') return event
  const { op } = event
  const told = { client: event.n, ...event }
  return isOperation(op) ? { ...op, ...told, op: op.op } : told
}

function isOperation(op: unknown): op is { readonly op: string } {
  return typeof op === 'object' && op !== null && 'op' in op && typeof op.op === 'string'
}

/** Which entries have which term: each pair holds from its index on until the next begins. */
export type TermRuns = readonly (readonly [first: number, term: number])[]

export function termRunsOf(event: TraceEvent, field: string): TermRuns | undefined {
  const value: unknown = event[field]
  if (!Array.isArray(value)) return undefined
  return value.every(isPair) ? (value as TermRuns) : undefined
}

function isPair(item: unknown): boolean {
  return Array.isArray(item) && item.length === 2 && item.every((part) => Number.isSafeInteger(part))
}

import { assert } from '@lab/rpc'
import type { Entry } from '../entry.ts'
import type { Index } from '../types.ts'
import type { TermRuns } from './term-runs.ts'

/**
 * What of a write is new to the log: everything from the first entry that the log does not hold. Entries that it holds
 * already (same index and term, or older than the log's start) are duplicates of an append that came twice; dropping
 * what follows them would lose what a later append brought (§5.3).
 */
export function entriesToAppend(entries: readonly Entry[], log: TermRuns): readonly Entry[] {
  const [first] = entries
  if (first === undefined) return entries
  assert(first.index <= log.lastIndex + 1, `entry ${String(first.index)} leaves a gap in the log`)
  assertConsecutive(entries, first.index)
  if (first.index > log.lastIndex) return entries
  const known = entries.findIndex(({ index, term }) => index > log.start.index && !log.holds(index, term))
  return known === -1 ? [] : entries.slice(known)
}

function assertConsecutive(entries: readonly Entry[], first: Index): void {
  let next = first
  for (const { index } of entries) assert(index === next++, 'the entries of a write are consecutive')
}

import { assert } from '@lab/rpc'
import type { Entry } from '../entry.ts'
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
  let known = 0
  for (const [position, { index, term }] of entries.entries()) {
    assert(index === first.index + position, 'the entries of a write are consecutive')
    if (known === position && (index <= log.start.index || log.holds(index, term))) known++
  }
  return known === 0 ? entries : entries.slice(known)
}

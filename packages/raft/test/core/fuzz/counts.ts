/** What a run went through, so that a test can see that nothing was left out. */
import type { Change } from '../../../src/core/ready.ts'

export type Counts = ReturnType<typeof makeCounts>

export function makeCounts() {
  return {
    messages: 0,
    fetches: 0,
    chunks: 0,
    busy: 0,
    truncations: 0,
    reads: 0,
    leases: 0,
    restores: 0,
    /** Changes of membership asked for, done, and given up because a server was too slow. */
    changes: 0,
    changed: 0,
    tooSlow: 0,
    joint: 0,
    wipes: 0,
    refusedWiped: 0,
  }
}

export function countChange(counts: Counts, change: Change): void {
  if (change.type === 'truncated') counts.truncations++
  if (change.type === 'membership' && change.membership.votersOutgoing.length > 0) counts.joint++
  if (change.type !== 'reconfigured') return
  if (change.failure === null) counts.changed++
  else counts.tooSlow++
}

import type { ProposeOptions } from '@lab/raft'
import type { Clock, Milliseconds } from '@lab/rpc'
import type { ShardMachine } from './machine.ts'
import type { Nudge } from './nudge.ts'
import type { OtherGroups } from './other-groups.ts'
import type { Traffic } from './traffic.ts'

/** What a node offers to whoever moves shards. */
interface Log {
  propose(command: Uint8Array, options: ProposeOptions): Promise<unknown>
  readonly makesSnapshot: boolean
}

/** What the parts of a group's leader that move shards have in common. */
export interface MoverOptions {
  readonly machine: ShardMachine
  /** This group's log. */
  readonly node: Log
  readonly groups: OtherGroups
  /** Wakes them when the machine has moved. */
  readonly nudge: Nudge
  readonly clock: Clock
  /** Of clients, beside which shards move. */
  readonly traffic: Traffic
}

/** Between attempts that came to nothing. */
export const RETRY_MS_MIN: Milliseconds = 20
export const RETRY_MS_MAX: Milliseconds = 500

/** Puts a command into this group's log. @returns false when it did not get there: whoever leads tries again */
export async function proposeHere(
  node: Pick<Log, 'propose'>,
  command: Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await node.propose(command, { signal, attempts: 1 })
    return true
  } catch {
    return false
  }
}

import type { RaftNode } from '@lab/raft'
import type { Client, Clock, Milliseconds } from '@lab/rpc'
import type { GroupClients } from './group-clients.ts'
import type { ShardMachine } from './machine.ts'
import type { Remote } from './migration.ts'
import type { Nudge } from './nudge.ts'
import { ShardService } from './shard-service.ts'

/** What the parts of a group's leader that move shards have in common. */
export interface MoverOptions {
  readonly machine: ShardMachine
  readonly node: Pick<RaftNode, 'propose'>
  readonly groups: GroupClients
  readonly clock: Clock
  /** Wakes them when the machine has moved. */
  readonly nudge: Nudge
}

/** Of one question to another group. */
export const ASK_TIMEOUT_MS: Milliseconds = 2000
/** Between attempts that came to nothing. */
export const RETRY_MS_MIN: Milliseconds = 20
export const RETRY_MS_MAX: Milliseconds = 500

/** Puts a command into this group's log. @returns false when it did not get there: whoever leads tries again */
export async function proposeHere(
  node: MoverOptions['node'],
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

type ShardClient = Client<(typeof ShardService)['methods']>

/** A server of another group, each attempt another one. @returns null when none is connected */
export function serverOf(groups: GroupClients, remote: Remote, attempt: number): ShardClient | null {
  const servers = groups.of(remote)?.clients(ShardService) ?? []
  return servers[attempt % servers.length] ?? null
}

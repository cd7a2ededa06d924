/** What metrics tell apart of a group's requests: the operations of clients as kvraft numbers them, the group's own beyond those. */
import type { RequestKinds } from '@lab/raft'
import { commandAt } from '@lab/raft/rsm'
import { afterVarint } from '@lab/rpc'
import { CommandKind } from './commands.ts'

/** Added to the number of a command that is the group's own. */
const OWN = 128

export const requestKinds: RequestKinds = {
  command(bytes, at) {
    const kind = bytes[at] ?? 0
    if (kind !== CommandKind.client) return (OWN + kind) & 0xff
    // Behind the shard comes the envelope that the client made.
    const inner = commandAt(bytes, afterVarint(bytes, at + 1))
    return inner === undefined ? undefined : bytes[inner]
  },
  query: (bytes) => bytes[afterVarint(bytes, 0)],
}

/** What operators call the group's own commands. */
export const GROUP_OPERATIONS: ReadonlyMap<number | null, string> = new Map([
  [OWN + CommandKind.open, 'session'],
  [OWN + CommandKind.configure, 'configure'],
  [OWN + CommandKind.page, 'move'],
  [OWN + CommandKind.delete, 'release'],
  [OWN + CommandKind.expire, 'expire'],
])

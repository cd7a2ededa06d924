/** They belong to the meaning of the log, as replicas with others would differ: constants. */
import { COMMAND_BYTES_MAX } from '@lab/kvraft'
import { ITEM_BYTES_MAX } from '@lab/kvraft/parts'
import type { SessionRule } from '@lab/raft/rsm'

/** How many clients a shard remembers, and for how long an idle one. */
export const SESSION_RULE: SessionRule = { sessionsMax: 4096, idleMsMax: 3_600_000 }

const STORE_HISTORY_BYTES = 16 * 1024 * 1024
const HISTORY_BYTES_MIN = 64 * 1024
const HISTORY_BYTES_MAX = 1024 * 1024

/**
 * Of changes of a shard that are remembered for watches, in a group that is not told otherwise: of all shards together as much as
 * a store without shards remembers. They lie in memory and in every snapshot, so a thousand shards must not have a thousand times as much.
 */
export function historyBytesOf(shards: number): number {
  const share = Math.floor(STORE_HISTORY_BYTES / Math.max(1, shards))
  return Math.min(HISTORY_BYTES_MAX, Math.max(HISTORY_BYTES_MIN, share))
}

/**
 * A page of a shard on its way ends with the item that reaches this. It is few enough that no write waits a millisecond for it to be
 * applied, and that it comes in one read of a socket, 64 KB; and as many as that allows, for each costs a round of the log.
 */
export const PAGE_BYTES = 60 * 1024

/** Of the largest command in a group's log: a page with one large value behind one that nearly filled it. */
export const GROUP_COMMAND_BYTES_MAX = PAGE_BYTES + Math.max(ITEM_BYTES_MAX, COMMAND_BYTES_MAX) + 16 * 1024

/** They belong to the meaning of the log, as replicas with others would differ: constants. */
import { COMMAND_BYTES_MAX } from '@lab/kvraft'
import { ITEM_BYTES_MAX } from '@lab/kvraft/parts'
import type { SessionRule } from '@lab/raft/rsm'

/** How many clients a shard remembers, and for how long an idle one. */
export const SESSION_RULE: SessionRule = { sessionsMax: 4096, idleMsMax: 3_600_000 }

/** Of changes of a shard that are remembered for watches, in a group that is not told otherwise. */
export const HISTORY_BYTES = 1024 * 1024

/** A page of a shard on its way ends with the item that reaches this: no write waits a millisecond for it to be applied. */
export const PAGE_BYTES = 32 * 1024

/** Of the largest command in a group's log: a page with one large value behind one that nearly filled it. */
export const GROUP_COMMAND_BYTES_MAX = PAGE_BYTES + Math.max(ITEM_BYTES_MAX, COMMAND_BYTES_MAX) + 16 * 1024

/**
 * The one event schema that every package can emit, the simulator, the command line and the viewer read, and the
 * checkers judge. Off by default: a part without a {@link TraceSink} does nothing and allocates nothing for it.
 *
 * On disk: JSON lines. The first line is a {@link TraceHeader}, each further line a {@link TraceEvent}. Keys that stand in
 * every event are one letter: `i` index, `t` µs, `n` node, `g` group, `k` kind, `m` message id, `c` cause (an index).
 */

export const TRACE_VERSION = 1

/** The first line of a trace file. */
export interface TraceHeader {
  readonly v: typeof TRACE_VERSION
  /** What ran: a scenario's title, a server's command line. */
  readonly what: string
  /** Milliseconds since 1970 of `t` = 0, so that files of several processes can be merged; 0 in simulation. */
  readonly start: number
  readonly seed?: number
  readonly nodes?: readonly string[]
}

export interface TraceEvent {
  /** Position in this trace, from 1. */
  readonly i: number
  /** Microseconds since the header's `start`. */
  readonly t: number
  /** The node, client or process that it happened at; '' for the world. */
  readonly n: string
  /** The Raft group, when there is more than one. */
  readonly g?: number | undefined
  readonly k: TraceKind
  /** Joins `send` with its `recv` or `drop`: connection id plus sequence, no bytes on the wire. */
  readonly m?: string
  /** The index of the event that caused this one. */
  readonly c?: number | undefined
  /** In words, for people: why a vote was refused, why an entry was truncated. */
  readonly why?: string
  /** The rest by kind. */
  readonly [field: string]: unknown
}

/**
 * `terms` are runs: `[[1, 1], [7, 3]]` says that entries 1 to 6 have term 1 and those from 7 on term 3. `term` is the server's
 * current term in `start`, `role`, `refuse` and `persist`, the entry's in `append` (the last one's), `apply` and `snapshot`.
 */
export type TraceKind =
  | 'send' // {to, type, …message}
  | 'recv' // {from, type, …message}
  | 'drop' // {to, type, why}
  | 'role' // {role, term, votedFor, leader, why}
  | 'refuse' // {to, type, term, why}
  | 'config' // {index, voters, votersOutgoing, learners}
  | 'append' // {first, last, term, terms, crcs}, handed to the disk; entries from `first` on are replaced
  | 'truncate' // {from, why}
  | 'persist' // {write, first, last, term, votedFor, bytes, micros}, on the disk now; 0 for no entries
  | 'commit' // {index}
  | 'apply' // {index, term, command?}
  | 'snapshot' // {index, term, bytes, why, installed?}; `installed` when another server's took the place of the state here
  | 'timer' // {what}
  | 'start' // {term, lastIndex, snapshotIndex, terms, voters, votersOutgoing}, as the disk gave them back
  | 'stop' // {why}
  | 'call' // {client, id, op, key, …}
  | 'return' // {client, id, outcome, index?, term?, why?}
  | 'fault' // {what, …}; `wipe`: all that the node's disk held is gone
  | 'stall' // {millis}
  | 'task' // {kind, task, attempt, worker, to, why}, of a MapReduce job
  | 'invariant' // {rule, why}
  | 'shard' // {what, shard?, num, …}; `what`: see @lab/shardkv's machine-trace.ts
  | 'note' // {topic, text}

/** What an emitter fills in; the sink adds `i` and `t`. */
export type TraceFields = { [K in keyof TraceEvent as K extends 'i' | 't' ? never : K]: TraceEvent[K] }

/** Takes events, each an object made for it. @returns the event's index, to be given as the cause of others */
export interface TraceSink {
  (event: TraceFields): number
  /** False: the messages between connections (`send`, `recv`, `drop`) are not wanted, which are most of all events. */
  readonly messages?: boolean
}

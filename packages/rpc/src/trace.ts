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
  readonly g?: number
  readonly k: TraceKind
  /** Joins `send` with its `recv` or `drop`: connection id plus sequence, no bytes on the wire. */
  readonly m?: string
  /** The index of the event that caused this one. */
  readonly c?: number
  /** In words, for people: why a vote was refused, why an entry was truncated. */
  readonly why?: string
  /** The rest by kind. */
  readonly [field: string]: unknown
}

export type TraceKind =
  | 'send' // {to, type, …message}
  | 'recv' // {from, type, …message}
  | 'drop' // {to, type, why}
  | 'role' // {role, term, votedFor, leader, why}
  | 'refuse' // {to, type, term, why}
  | 'append' // {first, last, term}
  | 'truncate' // {from, why}
  | 'persist' // {write, first, last, bytes, micros}
  | 'commit' // {index}
  | 'apply' // {index, term}
  | 'snapshot' // {index, term, bytes, why}
  | 'timer' // {what}
  | 'start' // {…}
  | 'stop' // {why}
  | 'call' // {client, id, op, key, …}
  | 'return' // {client, id, outcome, …}
  | 'fault' // {what, …}
  | 'stall' // {millis}
  | 'invariant' // {rule, why}
  | 'note' // {topic, text}

/** What an emitter fills in; the sink adds `i` and `t`. */
export type TraceFields = { [K in keyof TraceEvent as K extends 'i' | 't' ? never : K]: TraceEvent[K] }

/** Takes events. @returns the event's index, to be given as the cause of others */
export type TraceSink = (event: TraceFields) => number

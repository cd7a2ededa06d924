/** What a Raft must look like to be tested by the labs' suite, and what it is given. {@link raftLab} has the tests. */
import type { Clock, Random, TraceEvent } from '@lab/rpc'

/** What is replicated. Two commands are the same when `===` says so. */
export type LabCommand = number | string

/** Nothing was appended: this server does not lead, or was killed. */
export const NotLeader: unique symbol = Symbol.for('@lab/raft NotLeader')
export type NotLeader = typeof NotLeader

/** Where a leader put a command. */
export interface Started {
  /** From 1, and counting commands only: the first is 1 whatever else your log holds. */
  readonly index: number
  readonly term: number
}

/** One server of the Raft under test. All methods return at once. */
export interface LabRaft {
  /** Appends `command` if this server leads; does not wait for agreement, and does not promise it (§5.3). */
  start(command: LabCommand): Started | NotLeader
  getState(): { readonly term: number; readonly isLeader: boolean }
  /**
   * What the other servers may call through their `peers`, by name: `RequestVote`, `AppendEntries`, any name you like.
   * Calls may overlap, and may be overtaken by later ones. A handler that throws fails the test.
   */
  readonly handlers: Readonly<Record<string, LabMethod>>
  /** The service has put everything up to and including `index` into `blob`: the log may forget it (§7). Part 2D only. */
  snapshot(index: number, blob: Uint8Array): void
  /** This instance is gone. What it still sends or applies reaches nobody; let timers end. */
  kill(): void
}

/** Serves one method. Arguments and replies are JSON values, or bytes; each side gets a copy of its own. */
export type LabMethod = (args: never) => unknown

/** The way to one other server. */
export interface LabPeer {
  /**
   * @returns the reply, or `undefined` after a while when it is lost or nobody is there: the handler may have run all the
   *   same. A call to a server that is cut off can take 7 s to fail, so never wait for one before making the next.
   */
  call(method: string, args: unknown): Promise<unknown>
}

/** The disk of one server: what was saved last is what the next life reads. Both parts are saved together or not at all. */
export interface LabPersister {
  /** Replaces the state and, when given, the snapshot (otherwise the old one stays). Durable when it returns. */
  save(state: Uint8Array, snapshot?: Uint8Array): void
  /** A copy; empty before the first `save`. */
  readState(): Uint8Array
  /** A copy; empty before the first snapshot. */
  readSnapshot(): Uint8Array
  /** Bytes of the state, without the snapshot. */
  stateSize(): number
}

/** What a server tells the service above it: each committed command once, in index order (Figure 2, All Servers). */
export type LabApplied =
  | { readonly type: 'command'; readonly index: number; readonly command: LabCommand }
  /** Everything up to `index` at once; the next command is `index + 1`. Only part 2D. */
  | { readonly type: 'snapshot'; readonly index: number; readonly snapshot: Uint8Array }
export type LabApply = (applied: LabApplied) => void

/** What a server may not take from the machine, or the seed would not fix the run. */
export interface LabEnv {
  readonly clock: Clock
  readonly random: Random
  /** Puts a line into the trace, under a topic of your choice. Costs nothing while nobody traces. */
  note(topic: string, text: string): void
  /** Ends the test: for a bug that your Raft finds itself, where a throw would reach nobody, as after an `await`. */
  readonly fail: (error: unknown) => void
}

/**
 * Makes one server, from scratch or after a crash.
 *
 * @param peers the ways to all servers, in one order everywhere; `peers[me]` is this server itself
 * @param persister holds what earlier lives of this server saved
 */
export type LabMake = (
  peers: readonly LabPeer[],
  me: number,
  persister: LabPersister,
  apply: LabApply,
  env: LabEnv,
) => LabRaft

export interface RaftLabOptions {
  readonly make: LabMake
  /** What a call's arguments or reply say, for the trace. Default: a JSON object as it is, nothing of bytes. */
  readonly describe?: LabDescribe
}
export type LabDescribe = (method: string, value: unknown) => Readonly<Record<string, unknown>>

/** Raft is part 2, the key/value store 3, shards 4. */
export type LabPart = '2A' | '2B' | '2C' | '2D' | '3A' | '3B' | '4A' | '4B'

/** A test of any part. */
export interface LabTest {
  /** The labs' own name and part: `Figure8 (2C)`. */
  readonly title: string
  readonly part: LabPart
  readonly peers: number
  /**
   * Runs the scenario once.
   *
   * @param seed any integer; the same one gives the same run
   * @throws {LabFailure} when a rule was broken: it says which, and where the paper states it
   */
  run(seed: number, options?: LabRunOptions): Promise<LabResult>
}

export interface LabRunOptions {
  /** Receives every call, role, apply and fault as it happens. */
  readonly trace?: (event: TraceEvent) => void
}

/** What the labs print for each test. */
export interface LabResult {
  readonly title: string
  readonly seed: number
  /** Virtual. */
  readonly seconds: number
  readonly peers: number
  /** Calls made, the lost ones too; a reply is no call. */
  readonly rpcs: number
  /** Bytes of arguments, and of replies that arrived. */
  readonly bytes: number
  /** What was got done: commands agreed in part 2, operations of clerks later. */
  readonly done: number
  readonly unit: 'commits' | 'ops'
}

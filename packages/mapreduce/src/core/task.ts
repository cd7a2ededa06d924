/** The words in which schedule, coordinator and workers speak of tasks. All of it is plain data: it goes over the wire and into the journal. */

export type TaskKind = 'map' | 'reduce'

/** A worker process, from its start to its end: drawn anew by each. */
export type WorkerId = string

/** One execution of one task. The worker is part of its name: no two attempts ever share a file. */
export interface AttemptId {
  readonly kind: TaskKind
  /** From 0: the split, or the partition. */
  readonly task: number
  /** From 1. */
  readonly attempt: number
  readonly worker: WorkerId
}

/** By name; summed over committed attempts. */
export type Counters = Readonly<Record<string, number>>

/** A record, or in a reduce task a key, that a function of the user could not bear (MapReduce §4.6). */
export interface BadRecord {
  /** Empty in reduce tasks. */
  readonly file: string
  /** Byte at which the record begins; in reduce tasks the number of the key, from 0. */
  readonly offset: number
  /** The first 200 bytes of it, as text. */
  readonly preview: string
}

/** A whole file that an attempt has written, closed, and counted. */
export interface FileSummary {
  /** Without folder: `part-00003`, or a side file's. */
  readonly name: string
  readonly bytes: number
  readonly records: number
  /** Of all its bytes. */
  readonly crc: number
}

/** What an attempt that went through reports. */
export interface AttemptResult {
  readonly counters: Counters
  readonly recordsIn: number
  readonly recordsOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Map: bytes for each partition. Reduce: none. */
  readonly partitionBytes: readonly number[]
  /** Reduce: the part and side files. Map: side files. */
  readonly files: readonly FileSummary[]
  readonly skipped: readonly BadRecord[]
}

/** Why an attempt came to nothing. */
export interface AttemptFailure {
  readonly reason:
    /** A function of the user threw. */
    | 'threw'
    /** The thread ended: out of memory, or the function asked for it. */
    | 'crashed'
    /** No record was finished for too long. */
    | 'hung'
    /** The machine could not do it: a full disk, an unreadable file. */
    | 'machine'
  readonly message: string
  /** The user's own frames of the stack, one a line. */
  readonly stack: string
  /** What was being worked on, if known. */
  readonly record: BadRecord | null
}

/** A map output that a reduce attempt could not get whole. */
export interface FetchFailure {
  readonly map: number
  readonly attempt: number
  readonly worker: WorkerId
  /** The bytes came and were wrong: no second opinion is needed. */
  readonly corrupt: boolean
  readonly why: string
}

/** How far a running attempt is. */
export interface AttemptProgress extends AttemptId {
  /** 0 to 1, by bytes of input. */
  readonly fraction: number
  readonly records: number
  /** What the user's function said last, see `TaskContext.status`. */
  readonly status: string
}

export function sameAttempt(a: AttemptId, b: AttemptId): boolean {
  return a.kind === b.kind && a.task === b.task && a.attempt === b.attempt && a.worker === b.worker
}

/** For people and file names: `map-00003.1.w4f2a`. */
export function attemptName({ kind, task, attempt, worker }: AttemptId): string {
  return `${kind}-${String(task).padStart(5, '0')}.${String(attempt)}.${worker}`
}

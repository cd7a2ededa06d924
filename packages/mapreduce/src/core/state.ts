/** What the schedule knows. Changed only by the functions of this folder. */
import type { Milliseconds } from '@lab/rpc'
import { Durations } from './durations.ts'
import type { AttemptId, AttemptResult, BadRecord, TaskKind, WorkerId } from './task.ts'

export interface ScheduleOptions {
  /** M, the number of splits. */
  readonly maps: number
  /** R, the number of partitions. */
  readonly reduces: number
  /** A worker that was not heard from for so long is lost. Default 10 000. */
  readonly leaseMs: Milliseconds
  /** As `leaseMs`, for a worker whose connection broke, or whom only the journal knows. Default 1 500. */
  readonly graceMs: Milliseconds
  /** Attempts of one task that may fail before the job does. Default 4. */
  readonly attemptsMax: number
  /** Attempts of one task that may get lost together with their workers before the job fails. Default 20. */
  readonly lossesMax: number
  /** Backup tasks (MapReduce §3.6). Default true. */
  readonly backups: boolean
  /** Bad records that may be skipped in the whole job (§4.6); 0, the default, skips none. */
  readonly skipMax: number
}

export const defaultScheduleOptions: Omit<ScheduleOptions, 'maps' | 'reduces'> = {
  leaseMs: 10_000,
  graceMs: 1_500,
  attemptsMax: 4,
  lossesMax: 20,
  backups: true,
  skipMax: 0,
}

/** An attempt that is being made. */
export interface Running extends AttemptId {
  readonly startedAt: Milliseconds
  readonly isBackup: boolean
  fraction: number
  records: number
  status: string
}

export type Winner = AttemptId & { readonly result: AttemptResult }

/**
 *     idle ──assign──▶ in-progress ──done──▶ completed
 *       ▲                   │                    │ a map whose output is gone (§3.3)
 *       └──── failed, lost ─┴────────────────────┘
 */
export interface Task {
  readonly kind: TaskKind
  readonly task: number
  state: 'idle' | 'in-progress' | 'completed'
  /** At most two: the first and its backup. Empty unless in progress. */
  running: Running[]
  attempts: number
  failures: number
  losses: number
  /** Workers on which it failed: others are asked first. */
  failedOn: WorkerId[]
  /** Who completed it, and with what. Null unless completed. */
  winner: Winner | null
  /** Of a map: the winner whose output got lost. It counts when the job ends before there is another: nobody needed it any more. */
  lost: Winner | null
  /** Records that attempts from now on leave out. */
  skip: BadRecord[]
  /** Where the last attempt died, to be skipped if the next one dies there too. */
  suspect: BadRecord | null
  /** Workers that could not fetch this map's output, for the attempt that is the winner. */
  reports: number
}

export interface Worker {
  readonly id: WorkerId
  slots: number
  /** False for one that only the journal knows: its map outputs may yet come back with it. */
  isRegistered: boolean
  /** Its map outputs lie where others see them: they outlive it. */
  keepsOutputs: boolean
  leaseUntil: Milliseconds
  /** Its connection broke, and nothing was heard since: what it was at is worth a backup at once. */
  isAway: boolean
  /** A backup was faster than it, and nothing that it ended since was in time. */
  isSlow: boolean
  /** It takes tasks whenever a slot is free. */
  isAsking: boolean
  readonly running: Set<Running>
}

export interface State {
  readonly options: ScheduleOptions
  readonly maps: readonly Task[]
  readonly reduces: readonly Task[]
  readonly workers: Map<WorkerId, Worker>
  /** Tasks that may be idle: looked at from the end, and passed over when they are not. */
  readonly idle: { readonly map: Task[]; readonly reduce: Task[] }
  mapsLeft: number
  reducesLeft: number
  skipped: number
  /** How long completed tasks took; the latest of each kind. */
  readonly durations: { readonly map: Durations; readonly reduce: Durations }
  backups: number
  /** Over: no decision is taken any more. */
  isOver: boolean
}

export function newState(options: ScheduleOptions): State {
  const maps = tasks('map', options.maps)
  const reduces = tasks('reduce', options.reduces)
  return {
    options,
    maps,
    reduces,
    workers: new Map(),
    // Taken from the end: the first task comes first.
    idle: { map: maps.toReversed(), reduce: reduces.toReversed() },
    mapsLeft: options.maps,
    reducesLeft: options.reduces,
    skipped: 0,
    durations: { map: new Durations(), reduce: new Durations() },
    backups: 0,
    isOver: false,
  }
}

function tasks(kind: TaskKind, count: number): Task[] {
  return Array.from({ length: count }, (_, task) => ({
    kind,
    task,
    state: 'idle',
    running: [],
    attempts: 0,
    failures: 0,
    losses: 0,
    failedOn: [],
    winner: null,
    lost: null,
    skip: [],
    suspect: null,
    reports: 0,
  }))
}

/** @returns undefined for a task that the job has not */
export function taskOf(state: State, { kind, task }: Pick<AttemptId, 'kind' | 'task'>): Task | undefined {
  return (kind === 'map' ? state.maps : state.reduces)[task]
}

/** How many more tasks a worker takes now, when so many may wait at each of its slots. */
export function freeSlots({ isAsking, isRegistered, slots, running }: Worker, ahead = 0): number {
  return isAsking && isRegistered ? Math.max(0, slots * (1 + ahead) - running.size) : 0
}

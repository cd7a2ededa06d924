/** How far a job is, as one plain value: for progress lines, status pages and `lab mr status`. */
import type { Milliseconds } from '@lab/rpc'
import type { State, Task } from '../core/state.ts'
import type { Counters, WorkerId } from '../core/task.ts'
import type { Coordinator } from './coordinator.ts'
import { sumCounters } from './manifest-of.ts'

export interface PhaseStatus {
  readonly tasks: number
  readonly completed: number
  readonly inProgress: number
  /** One letter a task, in order: `.` idle, `r` running, `b` running with a backup, `d` done. */
  readonly grid: string
  readonly bytesIn: number
}

export interface JobStatus {
  readonly job: string
  readonly state: 'running' | 'done' | 'failed'
  readonly epoch: number
  readonly elapsedMs: Milliseconds
  readonly map: PhaseStatus
  readonly reduce: PhaseStatus
  /** 0 to 1, running attempts included. */
  readonly fraction: number
  /** Of input read by maps, all and so far. */
  readonly inputBytes: { readonly total: number; readonly read: number }
  /** Of map output, by partition. */
  readonly partitionBytes: readonly number[]
  readonly workers: readonly {
    readonly id: WorkerId
    readonly host: string
    readonly pid: number
    readonly slots: number
    readonly running: number
  }[]
  /** Those that have been running longest. */
  readonly slowest: readonly {
    readonly kind: Task['kind']
    readonly task: number
    readonly attempt: number
    readonly worker: WorkerId
    readonly runningMs: Milliseconds
    readonly fraction: number
    readonly status: string
  }[]
  readonly counters: Counters
  readonly failures: readonly { readonly task: string; readonly text: string }[]
  readonly skipped: number
}

const SLOWEST_MAX = 10

export function statusOf(coordinator: Coordinator): JobStatus {
  const { schedule, options, workers, clock, startedAt, epoch, failure, failures } = coordinator
  const { state } = schedule
  const now = clock.now()
  const results = [...state.maps, ...state.reduces].flatMap(({ winner }) => winner?.result ?? [])
  const total = options.splits.flat().reduce((sum, { start, end }) => sum + end - start, 0)
  const read = state.maps.reduce(
    (sum, task) => sum + fractionOf(task) * sizeOf(options.splits[task.task] ?? []),
    0,
  )
  return {
    job: options.job.name,
    state: failure !== null ? 'failed' : coordinator.isFinished ? 'done' : 'running',
    epoch,
    elapsedMs: now - startedAt,
    map: phaseOf(state.maps),
    reduce: phaseOf(state.reduces),
    fraction: overall(state),
    inputBytes: { total, read: Math.round(read) },
    partitionBytes: partitionBytesOf(state),
    workers: [...workers].map(([id, { host, pid, slots }]) => ({
      ...{ id, host, pid, slots },
      // The others wait.
      running: Math.min(slots, state.workers.get(id)?.running.size ?? 0),
    })),
    slowest: slowestOf(state, now),
    counters: sumCounters(results),
    failures,
    skipped: state.skipped,
  }
}

function phaseOf(tasks: readonly Task[]): PhaseStatus {
  const grid = tasks.map(({ state, running }) => {
    if (state === 'completed') return 'd'
    return running.length === 0 ? '.' : running.length === 1 ? 'r' : 'b'
  })
  return {
    tasks: tasks.length,
    completed: grid.filter((letter) => letter === 'd').length,
    inProgress: grid.filter((letter) => letter === 'r' || letter === 'b').length,
    grid: grid.join(''),
    bytesIn: tasks.reduce((sum, { winner }) => sum + (winner?.result.bytesIn ?? 0), 0),
  }
}

function overall({ maps, reduces }: Pick<State, 'maps' | 'reduces'>): number {
  const all = [...maps, ...reduces]
  return all.length === 0 ? 1 : all.reduce((sum, task) => sum + fractionOf(task), 0) / all.length
}

function fractionOf({ state, running }: Task): number {
  return state === 'completed' ? 1 : running.reduce((most, { fraction }) => Math.max(most, fraction), 0)
}

function sizeOf(splits: readonly { readonly start: number; readonly end: number }[]): number {
  return splits.reduce((sum, { start, end }) => sum + end - start, 0)
}

function partitionBytesOf({ maps, reduces }: Pick<State, 'maps' | 'reduces'>): number[] {
  const sums = reduces.map(() => 0)
  for (const { winner } of maps)
    for (const [partition, bytes] of (winner?.result.partitionBytes ?? []).entries())
      sums[partition] = (sums[partition] ?? 0) + bytes
  return sums
}

function slowestOf(state: Pick<State, 'maps' | 'reduces'>, now: Milliseconds): JobStatus['slowest'] {
  return [...state.maps, ...state.reduces]
    .flatMap(({ running }) => running)
    .sort((a, b) => a.startedAt - b.startedAt)
    .slice(0, SLOWEST_MAX)
    .map(({ kind, task, attempt, worker, startedAt, fraction, status }) => ({
      ...{ kind, task, attempt, worker, fraction, status },
      runningMs: Math.round(now - startedAt),
    }))
}

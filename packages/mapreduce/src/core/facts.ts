/**
 * What must survive the coordinator, as facts in the order in which they became true. The schedule changes the durable
 * part of its state in no other way, so that replaying the journal gives the state that was.
 */
import type { AttemptId, AttemptResult, BadRecord, TaskKind, WorkerId } from './task.ts'
import { taskOf, type State, type Task, type Worker } from './state.ts'

export type Fact =
  /** The first whole result of a task: no other attempt of it will ever count, unless the output gets lost. */
  | ({ readonly fact: 'completed'; readonly result: AttemptResult } & AttemptId)
  /** The output of a completed map is gone, with its worker or by damage. */
  | { readonly fact: 'output-lost'; readonly task: number }
  | {
      readonly fact: 'failed'
      readonly kind: TaskKind
      readonly task: number
      readonly record: BadRecord | null
    }
  | { readonly fact: 'skip'; readonly kind: TaskKind; readonly task: number; readonly record: BadRecord }

/** Makes a fact true. @returns the task it is about, or undefined when the job has no such task */
export function apply(state: State, fact: Fact): Task | undefined {
  const task = taskOf(state, fact.fact === 'output-lost' ? { kind: 'map', task: fact.task } : fact)
  if (task === undefined) return undefined
  switch (fact.fact) {
    case 'completed':
      complete(state, task, fact)
      break
    case 'output-lost':
      reopen(state, task)
      break
    case 'failed':
      task.failures++
      task.suspect = fact.record
      break
    case 'skip':
      task.skip.push(fact.record)
      task.suspect = null
      // What failed at this record was the record's fault.
      task.failures = 0
      state.skipped++
      break
  }
  return task
}

function complete(state: State, task: Task, fact: AttemptId & { readonly result: AttemptResult }): void {
  if (task.state === 'completed') return
  const { kind, task: number, attempt, worker, result } = fact
  task.state = 'completed'
  task.winner = { kind, task: number, attempt, worker, result }
  task.attempts = Math.max(task.attempts, attempt)
  task.reports = 0
  // Those that were listed have been counted when they were.
  state.skipped += result.skipped.length - task.skip.length
  if (kind === 'map') state.mapsLeft--
  else state.reducesLeft--
}

function reopen(state: State, task: Task): void {
  if (task.winner === null) return
  state.skipped -= task.winner.result.skipped.length - task.skip.length
  task.state = 'idle'
  task.lost = task.winner
  task.winner = null
  task.reports = 0
  state.mapsLeft++
  state.idle.map.push(task)
}

/** The worker of this name, which may be one that only the journal knows. */
export function workerOf(state: State, id: WorkerId, leaseUntil: number): Worker {
  let worker = state.workers.get(id)
  if (worker === undefined) {
    worker = {
      id,
      slots: 0,
      isRegistered: false,
      keepsOutputs: false,
      leaseUntil,
      isAway: false,
      isSlow: false,
      isAsking: false,
      running: new Set(),
    }
    state.workers.set(id, worker)
  }
  return worker
}

/** Who does what next. */
import type { Milliseconds } from '@lab/rpc'
import type { Turn } from './decision.ts'
import { freeSlots, taskOf, type Running, type State, type Task, type Worker } from './state.ts'
import type { TaskKind } from './task.ts'
import { start, tell } from './tasks.ts'

/** A backup must promise to be of use: nothing shorter than this is worth one. As long as progress takes to be told. */
const BACKUP_AFTER_MS_MIN = 250
/** …and the attempt must have taken this many times as long as the median. */
const BACKUP_AFTER_MEDIANS = 1.5
/** Of all tasks, at least two for each worker: more backups mean that something else is wrong. */
const BACKUPS_SHARE_MAX = 0.1
const BACKUPS_EACH_MIN = 2

/** Work that waits at a slot, so that it need not wait for the word of the last task's end to come and go. */
const AHEAD_MS = 20
const AHEAD_MAX = 256

/** Hands out tasks, one to each worker in turn, until nobody wants one or none is left. */
export function assign(turn: Turn): void {
  const { state } = turn
  const ahead = tasksAhead(state)
  // Who has half of what may wait is not told of a few more: thousands of short tasks would be as many messages.
  const hungry = [...state.workers.values()].filter(
    ({ running, slots }) => running.size <= slots * (1 + ahead / 2),
  )
  for (let isAny = true; isAny && !state.isOver;) {
    isAny = false
    for (const worker of hungry) {
      if (freeSlots(worker, ahead) === 0) continue
      isAny = give(turn, worker) || isAny
    }
  }
}

/** How many short tasks may wait at each slot: never more than half of what is left, or some would end long after others. */
function tasksAhead({ idle, mapsLeft, durations, workers }: State): number {
  const kind = mapsLeft > 0 ? 'map' : 'reduce'
  const { median } = durations[kind]
  if (median === null || median > AHEAD_MS) return 0
  const slots = [...workers.values()].reduce((sum, worker) => sum + worker.slots, 0)
  return Math.floor(Math.min(AHEAD_MAX, AHEAD_MS / median, idle[kind].length / 2 / Math.max(slots, 1)))
}

function give(turn: Turn, worker: Worker): boolean {
  const idle = nextIdle(turn.state, worker)
  const task = idle ?? (freeSlots(worker) > 0 ? nextBackup(turn, worker) : null)
  if (task === null) return false
  const isBackup = idle === null
  const { kind, task: number } = task
  const attempt = { kind, task: number, attempt: task.attempts + 1, worker: worker.id }
  start(turn, task, worker, attempt, isBackup)
  tell(turn, task, attempt, isBackup ? 'backup task' : 'assigned')
  const skipMax = Math.max(0, turn.state.options.skipMax - turn.state.skipped)
  turn.decide({ type: 'assign', attempt, isBackup, skip: task.skip, skipMax })
  return true
}

/** Reduces need the output of every map, so they come when no map is left. */
function nextIdle(state: State, worker: Worker): Task | null {
  return takeIdle(state, 'map', worker) ?? (state.mapsLeft === 0 ? takeIdle(state, 'reduce', worker) : null)
}

function takeIdle(state: State, kind: TaskKind, worker: Worker): Task | null {
  const list = state.idle[kind]
  for (let at = list.length - 1; at >= 0; at--) {
    const task = list[at]
    if (task?.state !== 'idle') {
      // Was put here more than once, or was completed by somebody thought lost.
      list.splice(at, 1)
      continue
    }
    if (hasFailedHere(task, worker) && othersCould(state, task)) continue
    list.splice(at, 1)
    return task
  }
  return null
}

/** A machine with a full disk would else fail the same task until the job fails. */
function hasFailedHere(task: Task, worker: Worker): boolean {
  return task.failedOn.includes(worker.id)
}

function othersCould(state: State, task: Task): boolean {
  for (const worker of state.workers.values())
    if (worker.isRegistered && !task.failedOn.includes(worker.id)) return true
  return false
}

/** The attempt with the longest time left, if it is a straggler (MapReduce §3.6). */
function nextBackup({ state, now }: Turn, worker: Worker): Task | null {
  let best: Task | null = null
  let bestLeft = 0
  for (const { task, running, dueAt, median } of stragglers(state)) {
    if (dueAt > now || running.worker === worker.id) continue
    const left = timeLeft(running, now)
    if (left > bestLeft && left >= median) {
      best = task
      bestLeft = left
    }
  }
  return best
}

/** When somebody idle should look again whether there is a backup to make; Infinity for never. */
export function backupDeadline({ state, now }: Turn): Milliseconds {
  const isAnybodyIdle = [...state.workers.values()].some((worker) => freeSlots(worker) > 0)
  if (!isAnybodyIdle || state.isOver) return Infinity
  const due = [...stragglers(state)].map(({ dueAt }) => dueAt)
  // One that is due and was passed over may look worse in a while.
  return due.reduce((min, at) => Math.min(min, at > now ? at : now + BACKUP_AFTER_MS_MIN), Infinity)
}

interface Straggler {
  readonly task: Task
  readonly running: Running
  /** When the attempt has taken too long. */
  readonly dueAt: Milliseconds
  readonly median: Milliseconds
}

/** Attempts without a backup, when one could be made of what stands idle. */
function* stragglers(state: State): Generator<Straggler> {
  const { options, backups } = state
  const backupsMax = Math.max(
    BACKUPS_EACH_MIN * state.workers.size,
    BACKUPS_SHARE_MAX * (options.maps + options.reduces),
  )
  if (!options.backups || backups >= backupsMax) return
  const kind = state.mapsLeft > 0 ? 'map' : 'reduce'
  const { median } = state.durations[kind]
  const after = median === null ? Infinity : Math.max(BACKUP_AFTER_MS_MIN, BACKUP_AFTER_MEDIANS * median)
  for (const worker of state.workers.values())
    for (const running of worker.running) {
      const task = taskOf(state, running)
      if (task?.running.length !== 1 || running.kind !== kind) continue
      // Whose connection broke may be dead, and who was slow may be so still: nobody who is idle waits to see it.
      if (worker.isAway || worker.isSlow) yield { task, running, dueAt: running.startedAt, median: 0 }
      else if (median !== null) yield { task, running, dueAt: running.startedAt + after, median }
    }
}

/** By what it has done so far; one that has done nothing may take for ever. */
function timeLeft({ startedAt, fraction }: Running, now: Milliseconds): Milliseconds {
  return fraction === 0 ? Infinity : ((now - startedAt) * (1 - fraction)) / fraction
}

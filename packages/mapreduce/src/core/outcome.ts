/** Attempts end: whole, failed, or without the map outputs that they needed. */
import type { Milliseconds } from '@lab/rpc'
import type { Input, Turn } from './decision.ts'
import type { Task } from './state.ts'
import { taskOf } from './state.ts'
import type { AttemptFailure, AttemptId, AttemptResult, BadRecord, FetchFailure } from './task.ts'
import { cancelAll, end, findRunning, finish, loseOutput, record, tell } from './tasks.ts'

type Of<Type extends Input['type']> = Extract<Input, { readonly type: Type }>

/** Two readers that cannot fetch an output are enough to make it anew; one may be at fault itself. */
const REPORTS_MAX = 2

/**
 * The first attempt that is reported whole is the task's, whoever made it and however late: map and reduce are
 * deterministic. All others come to nothing, so two never both commit.
 */
export function complete(
  turn: Turn,
  attempt: AttemptId,
  result: AttemptResult,
  { why, elapsedMs }: { readonly why: string; readonly elapsedMs?: Milliseconds | undefined },
): void {
  const task = taskOf(turn.state, attempt)
  if (task === undefined) return
  const found = findRunning(turn, attempt)
  if (task.state === 'completed') {
    if (found !== null) end(turn, task, found.running)
    return
  }
  if (found !== null) {
    const took = elapsedMs ?? turn.now - found.running.startedAt
    notePace(turn, task, attempt, took)
    turn.state.durations[task.kind].add(took)
  }
  record(turn, { fact: 'completed', ...attempt, result })
  if (found !== null) end(turn, task, found.running)
  tell(turn, task, attempt, found?.running.isBackup === true ? 'backup won' : why)
  cancelAll(turn, task, 'another attempt was faster')
  refuseTooManySkipped(turn, attempt, result)
  if (turn.state.reducesLeft === 0) finish(turn, null)
}

/** Whoever a backup has beaten is slow, until it ends something no later than most do. */
function notePace({ state }: Turn, task: Task, { worker, attempt }: AttemptId, took: Milliseconds): void {
  const { median } = state.durations[task.kind]
  for (const running of task.running) {
    const other = state.workers.get(running.worker)
    if (other !== undefined && running.attempt < attempt) other.isSlow = true
  }
  const winner = state.workers.get(worker)
  if (winner !== undefined && (median === null || took <= median)) winner.isSlow = false
}

function refuseTooManySkipped(turn: Turn, attempt: AttemptId, result: AttemptResult): void {
  const { skipped, options } = turn.state
  const last = result.skipped.at(-1)
  if (last === undefined || skipped <= options.skipMax) return
  const message = `more than ${String(options.skipMax)} bad records in all tasks together`
  finish(turn, { attempt, failure: { reason: 'threw', message, stack: '', record: last } })
}

export function failed(turn: Turn, { attempt, failure }: Of<'failed'>): void {
  const found = findRunning(turn, attempt)
  if (found === null) return
  const { task } = found
  end(turn, task, found.running)
  tell(turn, task, attempt, `${failure.reason}: ${failure.message}`)
  turn.decide({ type: 'failure', attempt, failure })
  if (task.state === 'completed') return
  if (!task.failedOn.includes(attempt.worker)) task.failedOn.push(attempt.worker)
  const { record: bad } = failure
  const isSame = sameRecord(task.suspect, bad)
  if (
    isSame &&
    bad !== null &&
    failure.reason !== 'threw' &&
    turn.state.skipped < turn.state.options.skipMax
  ) {
    record(turn, { fact: 'skip', kind: task.kind, task: task.task, record: bad })
    tell(turn, task, null, `the record at ${String(bad.offset)} of ${bad.file} will be skipped`)
    return
  }
  record(turn, { fact: 'failed', kind: task.kind, task: task.task, record: bad })
  // What throws twice at the same record will throw again.
  const isHopeless = isSame && failure.reason === 'threw'
  if (isHopeless || task.failures >= turn.state.options.attemptsMax) giveUp(turn, task, attempt, failure)
}

function giveUp(turn: Turn, task: Task, attempt: AttemptId, failure: AttemptFailure): void {
  cancelAll(turn, task, 'given up')
  finish(turn, { attempt, failure })
}

function sameRecord(a: BadRecord | null, b: BadRecord | null): boolean {
  return a !== null && b !== null && a.file === b.file && a.offset === b.offset
}

/** The reduce is not at fault: it waits until the maps whose output it missed are completed anew (§3.3). */
export function fetchFailed(turn: Turn, { attempt, failures }: Of<'fetch-failed'>): void {
  const found = findRunning(turn, attempt)
  if (found === null) return
  end(turn, found.task, found.running)
  tell(turn, found.task, attempt, `could not fetch ${String(failures.length)} map outputs`)
  for (const failure of failures) noteReport(turn, failure)
}

function noteReport(turn: Turn, { map, attempt, worker, corrupt, why }: FetchFailure): void {
  const task = turn.state.maps[map]
  if (task?.winner?.attempt !== attempt || task.winner.worker !== worker) return
  task.reports++
  // What a lost worker left is there for all, or for nobody.
  const reportsMax = turn.state.workers.has(worker) ? REPORTS_MAX : 1
  if (corrupt || task.reports >= reportsMax)
    loseOutput(turn, task, `its output cannot be fetched from ${worker}: ${why}`)
}

/** The steps that several inputs share: a task is assigned, given back, completed; the job is over. */
import { apply, type Fact } from './facts.ts'
import type { JobFailure, Turn } from './decision.ts'
import { taskOf, type Running, type Task, type Worker } from './state.ts'
import { sameAttempt, type AttemptId } from './task.ts'

/** Makes something true and has it journalled. */
export function record({ state, decide }: Turn, fact: Fact): void {
  apply(state, fact)
  decide({ type: 'fact', fact })
}

export function tell({ decide }: Turn, task: Task, attempt: AttemptId | null, why: string): void {
  decide({
    type: 'transition',
    transition: {
      kind: task.kind,
      task: task.task,
      attempt: attempt?.attempt ?? 0,
      worker: attempt?.worker ?? '',
      to: task.state,
      why,
    },
  })
}

export function findRunning(turn: Turn, attempt: AttemptId): { task: Task; running: Running } | null {
  const task = taskOf(turn.state, attempt)
  const running = task?.running.find((one) => sameAttempt(one, attempt))
  return task === undefined || running === undefined ? null : { task, running }
}

export function start(turn: Turn, task: Task, worker: Worker, attempt: AttemptId, isBackup: boolean): void {
  const running: Running = {
    kind: attempt.kind,
    task: attempt.task,
    attempt: attempt.attempt,
    worker: attempt.worker,
    startedAt: turn.now,
    isBackup,
    fraction: 0,
    records: 0,
    status: '',
  }
  task.state = 'in-progress'
  task.attempts = Math.max(task.attempts, attempt.attempt)
  task.running.push(running)
  worker.running.add(running)
  if (isBackup) turn.state.backups++
}

/** The attempt is no more. Its task is idle again when it was the only one. */
export function end({ state }: Turn, task: Task, running: Running): void {
  task.running = task.running.filter((one) => one !== running)
  state.workers.get(running.worker)?.running.delete(running)
  if (task.state === 'in-progress' && task.running.length === 0) {
    task.state = 'idle'
    state.idle[task.kind].push(task)
  }
}

/** Ends all attempts of a task, telling their workers. */
export function cancelAll(turn: Turn, task: Task, why: string): void {
  for (const running of [...task.running]) {
    end(turn, task, running)
    turn.decide({ type: 'cancel', attempt: running })
    tell(turn, task, running, why)
  }
}

/** The output of a completed map is needed again and is not there. */
export function loseOutput(turn: Turn, task: Task, why: string): void {
  record(turn, { fact: 'output-lost', task: task.task })
  tell(turn, task, null, why)
}

/** Ends the job: no decision follows but the cancellations. */
export function finish(turn: Turn, failure: JobFailure | null): void {
  if (turn.state.isOver) return
  for (const task of [...turn.state.maps, ...turn.state.reduces])
    if (task.running.length > 0) cancelAll(turn, task, 'the job is over')
  turn.state.isOver = true
  turn.decide({ type: 'over', failure })
}

/** Workers come, are heard from, and get lost. */
import type { Input, Turn } from './decision.ts'
import { complete } from './outcome.ts'
import { workerOf } from './facts.ts'
import type { Task, Worker } from './state.ts'
import { taskOf } from './state.ts'
import { attemptName, type AttemptId, type WorkerId } from './task.ts'
import { cancelAll, end, finish, findRunning, loseOutput, start, tell } from './tasks.ts'

type Of<Type extends Input['type']> = Extract<Input, { readonly type: Type }>

/** What the worker brings counts: map outputs that are still wanted, and attempts that nobody else makes. */
export function register(
  turn: Turn,
  { worker: id, slots, keepsOutputs = false, outputs, running }: Of<'register'>,
): void {
  const worker = workerOf(turn.state, id, 0)
  worker.isRegistered = true
  worker.isAway = false
  worker.slots = slots
  worker.keepsOutputs = keepsOutputs
  worker.leaseUntil = turn.now + turn.state.options.leaseMs
  for (const { result, ...attempt } of outputs)
    complete(turn, attempt, result, { why: 'brought back by its worker' })
  giveBack(turn, worker, running)
  for (const attempt of running) adopt(turn, worker, attempt)
}

function adopt(turn: Turn, worker: Worker, attempt: AttemptId): void {
  const task = taskOf(turn.state, attempt)
  if (task === undefined || findRunning(turn, attempt) !== null) return
  if (task.state === 'completed' || task.running.length > 1) {
    turn.decide({ type: 'cancel', attempt })
    return
  }
  start(turn, task, worker, attempt, task.running.length === 1)
  tell(turn, task, attempt, 'its worker is still at it')
}

/** Tasks that the worker was given and does not know of: the assignment got lost on its way. */
export function giveBack(turn: Turn, worker: Worker, running: readonly AttemptId[]): void {
  const known = new Set(running.map(attemptName))
  for (const attempt of [...worker.running]) {
    if (known.has(attemptName(attempt))) continue
    const task = taskOf(turn.state, attempt)
    if (task === undefined) continue
    end(turn, task, attempt)
    tell(turn, task, attempt, 'the assignment never arrived')
  }
}

export function ask(turn: Turn, worker: Worker, { running }: Of<'ask'>): void {
  giveBack(turn, worker, running)
  worker.isAsking = true
}

export function beat(turn: Turn, { progress }: Of<'beat'>): void {
  for (const { fraction, records, status, ...attempt } of progress) {
    const found = findRunning(turn, attempt)
    if (found === null) turn.decide({ type: 'cancel', attempt })
    else Object.assign(found.running, { fraction, records, status })
  }
}

export function disconnected(turn: Turn, worker: Worker): void {
  worker.leaseUntil = Math.min(worker.leaseUntil, turn.now + turn.state.options.graceMs)
  worker.isAsking = false
  worker.isAway = true
}

export function loseExpired(turn: Turn): void {
  for (const worker of [...turn.state.workers.values()])
    if (worker.leaseUntil <= turn.now)
      lose(turn, worker.id, 'not heard from: lease lost', worker.keepsOutputs)
}

/**
 * Its attempts are given to others, and so are its completed maps, for their output died with it (MapReduce §3.3); unless it lies
 * where others see it: then whoever cannot read it after all says so.
 */
export function lose(turn: Turn, id: WorkerId, why: string, isOutputKept: boolean): void {
  const { state } = turn
  const worker = state.workers.get(id)
  if (worker === undefined) return
  state.workers.delete(id)
  turn.decide({ type: 'expel', worker: id, why })
  for (const attempt of worker.running) {
    const task = taskOf(state, attempt)
    if (task !== undefined) loseAttempt(turn, task, attempt, why)
    if (state.isOver) return
  }
  // Nobody needs map outputs once all reduces are done.
  if (state.reducesLeft === 0 || isOutputKept) return
  for (const task of state.maps)
    if (task.winner?.worker === id && task.winner.result.recordsOut > 0)
      loseOutput(turn, task, `its output went with ${id}`)
}

function loseAttempt(turn: Turn, task: Task, attempt: Task['running'][number], why: string): void {
  end(turn, task, attempt)
  tell(turn, task, attempt, why)
  task.losses++
  if (task.losses < turn.state.options.lossesMax || task.state === 'completed') return
  cancelAll(turn, task, 'given up')
  const message = `${String(task.losses)} workers were lost while they worked at it; the last one was ${attempt.worker}`
  finish(turn, { attempt, failure: { reason: 'crashed', message, stack: '', record: null } })
}

/** A schedule on a stage: inputs in words, decisions as lists, time as the test wants it. */
import { Schedule } from '../../src/core/schedule.ts'
import { defaultScheduleOptions, type ScheduleOptions } from '../../src/core/state.ts'
import type { Decision, Input } from '../../src/core/decision.ts'
import type { Fact } from '../../src/core/facts.ts'
import type { AttemptFailure, AttemptId, AttemptResult, BadRecord } from '../../src/core/task.ts'

export const RESULT: AttemptResult = {
  ...{ counters: {}, recordsIn: 1, recordsOut: 1, bytesIn: 0, bytesOut: 0 },
  ...{ partitionBytes: [], files: [], skipped: [] },
}

export class Stage {
  now = 0
  readonly schedule: Schedule
  readonly facts: Fact[] = []
  decisions: Decision[] = []

  constructor(maps: number, reduces: number, options: Partial<ScheduleOptions> = {}) {
    this.schedule = new Schedule({ ...defaultScheduleOptions, ...options, maps, reduces })
  }

  step(input: Input): readonly Decision[] {
    this.schedule.step(input, this.now)
    const decisions = this.schedule.takeDecisions()
    this.decisions.push(...decisions)
    for (const decision of decisions) if (decision.type === 'fact') this.facts.push(decision.fact)
    return decisions
  }

  /** Registers a worker that takes tasks. @returns what it was given */
  join(worker: string, slots = 1): AttemptId[] {
    this.step({ type: 'register', worker, slots, outputs: [], running: [] })
    return this.ask(worker)
  }

  ask(worker: string, running: readonly AttemptId[] = []): AttemptId[] {
    return assigned(this.step({ type: 'ask', worker, running }))
  }

  done(attempt: AttemptId, result: Partial<AttemptResult> = {}): AttemptId[] {
    return assigned(this.step({ type: 'done', attempt, result: { ...RESULT, ...result } }))
  }

  failed(attempt: AttemptId, failure: Partial<AttemptFailure> = {}): AttemptId[] {
    const whole = { reason: 'threw', message: 'no', stack: '', record: null, ...failure } as const
    return assigned(this.step({ type: 'failed', attempt, failure: whole }))
  }

  /** Lets time pass, and the schedule see it. */
  pass(ms: number): AttemptId[] {
    this.now += ms
    return assigned(this.step({ type: 'deadline' }))
  }

  get over(): Extract<Decision, { type: 'over' }> | undefined {
    return this.decisions.find((decision) => decision.type === 'over')
  }
}

export function assigned(decisions: readonly Decision[]): AttemptId[] {
  return decisions.flatMap((decision) => (decision.type === 'assign' ? [decision.attempt] : []))
}

/** `map 3.1 w1`: kind, task, attempt, worker. */
export function names(attempts: readonly AttemptId[]): string[] {
  return attempts.map(
    ({ kind, task, attempt, worker }) => `${kind} ${String(task)}.${String(attempt)} ${worker}`,
  )
}

export function bad(offset: number): BadRecord {
  return { file: 'a.txt', offset, preview: 'x' }
}

/** The attempt that must be there. */
export function one(attempts: readonly AttemptId[]): AttemptId {
  const [first] = attempts
  if (first === undefined) throw new Error('nothing was assigned')
  return first
}

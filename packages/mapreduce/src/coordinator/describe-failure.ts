import type { JobFailure } from '../core/decision.ts'
import { JobError } from '../errors.ts'

/** What a person needs to mend the job: where it was, what stood there, and their own stack. */
export function describeFailure({ attempt, failure }: JobFailure): JobError {
  const { kind, task, attempt: number, worker } = attempt
  const { reason, message, stack, record } = failure
  const lines = [
    `${kind} task ${String(task)} ${verb[reason]}: ${message}`,
    ...(record === null
      ? []
      : [whereIs(record.file, record.offset), `  record: ${JSON.stringify(record.preview)}`]),
    ...(stack === '' ? [] : [stack]),
    `  attempt ${String(number)}, on ${worker}`,
  ]
  return new JobError('TASK_FAILED', lines.join('\n'))
}

const verb = { threw: 'threw', crashed: 'crashed', hung: 'hung', machine: 'failed' } as const

function whereIs(file: string, offset: number): string {
  return file === ''
    ? `  at key number ${String(offset)} of its partition`
    : `  at byte ${String(offset)} of ${file}`
}

/** Whose fault it was, and at which record. */
import { DiskError, toError } from '@lab/rpc'
import type { BadRecord } from '../core/task.ts'
import { JobError } from '../errors.ts'
import { DataError } from '../data/errors.ts'
import type { TaskEnvironment } from './environment.ts'
import { FetchFailed, TaskFailed } from './failure.ts'

const PREVIEW_UNITS = 200

/** What to throw out of the attempt for what was thrown within it. */
export function blame(
  thrown: unknown,
  record: BadRecord | null,
  environment: Pick<TaskEnvironment, 'userStack'>,
): TaskFailed | FetchFailed {
  if (thrown instanceof TaskFailed || thrown instanceof FetchFailed) return thrown
  const error = toError(thrown)
  const isMachine =
    error instanceof DiskError || (error instanceof DataError && error.code === 'SPILL_CORRUPT')
  return new TaskFailed(
    {
      reason: isMachine ? 'machine' : 'threw',
      message:
        error instanceof JobError || error.name === 'Error'
          ? error.message
          : `${error.name}: ${error.message}`,
      stack: isMachine ? '' : environment.userStack(error),
      record: isMachine ? null : record,
    },
    { cause: error },
  )
}

/** The start of a record, for people. */
export function preview(record: unknown): string {
  if (typeof record === 'string') return record.slice(0, PREVIEW_UNITS)
  if (record instanceof Uint8Array) return new TextDecoder().decode(record.subarray(0, PREVIEW_UNITS))
  try {
    return (JSON.stringify(record) as string | undefined)?.slice(0, PREVIEW_UNITS) ?? String(record)
  } catch {
    return Object.prototype.toString.call(record)
  }
}

/** Calls a function of the user, which may wait or not. */
export function isPromise(returned: void | Promise<void>): returned is Promise<void> {
  return typeof (returned as Promise<void> | undefined)?.then === 'function'
}

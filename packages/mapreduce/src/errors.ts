/** Errors of MapReduce. `code` is stable API; `message` is for people and says what to do. */

/** Why a job could not be started, or has failed for good. */
export class JobError extends Error {
  override readonly name = 'JobError'
  readonly code:
    /** The module exports no job, or one with something missing. */
    | 'BAD_JOB'
    /** No file matches the input, or one cannot be read. */
    | 'BAD_INPUT'
    /** The output folder holds something else, or cannot be written. */
    | 'BAD_OUTPUT'
    /** A function of the user failed as often as it may; the message says at which record. */
    | 'TASK_FAILED'
    /** The run was stopped before it was done. */
    | 'CANCELLED'
    /** A worker runs another build of the job's module. */
    | 'OTHER_BUILD'
  constructor(code: JobError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

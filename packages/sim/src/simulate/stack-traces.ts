/** Runs under way that want none, and the limit from before the first of them. */
let quiet = 0
let limitBefore: number | undefined

const errors = Error as { stackTraceLimit?: number | undefined }

/**
 * Errors made while `work` goes on tell no stack: nothing in a simulation depends on it, servers under faults make very many, and
 * finding out where each was made costs more than making it.
 */
export async function withoutStackTraces<T>(work: () => Promise<T>): Promise<T> {
  if (quiet++ === 0) limitBefore = errors.stackTraceLimit
  errors.stackTraceLimit = 0
  try {
    return await work()
  } finally {
    if (--quiet === 0) errors.stackTraceLimit = limitBefore
  }
}

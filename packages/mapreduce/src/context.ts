/** What a job's functions are told about the task that they run in, and what they can tell. */

/** A number that is summed over all tasks. Only attempts that were committed count, each once (MapReduce §4.9). */
export interface Counter {
  /** @param amount any safe integer; default 1 */
  add(amount?: number): void
}

export interface TaskContext {
  readonly kind: 'map' | 'reduce'
  /** From 0: the number of the split, or of the partition. */
  readonly task: number
  /** From 1; more than one after a failure, or for a backup task. */
  readonly attempt: number
  /** What the user gave as parameters when the job was started. */
  readonly parameters: Readonly<Record<string, string>>
  /** Where the current record comes from; empty in reduce tasks. */
  readonly inputFile: string
  /** Byte of `inputFile` at which the current record begins; 0 in reduce tasks. */
  readonly offset: number
  /** Aborts when nobody wants this attempt's result any more. */
  readonly signal: AbortSignal
  counter(name: string): Counter
  /** Replaces the line that the status page shows for this task. */
  status(text: string): void
  /**
   * A further file of this task's output (§4.5): it appears beside the parts, as `name-00000` with the number of the task, when
   * the attempt is committed, and never otherwise.
   *
   * @param name letters, digits, `.`, `_` and `-`, not beginning with a `.` or `_`
   */
  sideFile(name: string): SideFile
}

export interface SideFile {
  write(data: string | Uint8Array): void
}

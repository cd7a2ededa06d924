/** What the simulator's benchmark asks of its process, and what that answers. */

export const NODES = 5

export interface Load {
  readonly operationsPerSecond: number
  /** In virtual time. */
  readonly durationMs: number
}

/** Virtual time for a time of the processor. */
export interface Speed {
  readonly best: number
  /** Of the first run, with cold code. */
  readonly first: number
  readonly stepsPerMs: number
}

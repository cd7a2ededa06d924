/** Where a program of a pipeline reads and writes, without waiting: it is a process of its own and does nothing else. */
export interface StreamPorts {
  /** Fills `into` from its start with what comes next, and says how many bytes; 0 at the end. */
  read(into: Uint8Array): number
  /** Data: takes all of `bytes`, which are the caller's again afterwards. */
  write(bytes: Uint8Array): void
  /** A line for whoever runs the pipeline: standard error. */
  tell(line: string): void
}

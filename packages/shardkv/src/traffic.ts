/**
 * Counts what clients do with the groups of a process: whoever moves shards asks whether anybody was there meanwhile. Its groups
 * share processor, log and disk, so it is one for all of them.
 */
export class Traffic {
  #operations = 0

  /** Since the start. */
  get operations(): number {
    return this.#operations
  }

  /** A read or a write of a client. */
  count(): void {
    this.#operations++
  }
}

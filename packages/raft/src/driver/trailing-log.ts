import type { Index } from '../types.ts'

/** How finely the log's length is known: this many marks within the part that is kept. */
const MARKS = 8

/** Knows how far back some number of log bytes reach, without a word per entry. */
export class TrailingLog {
  readonly #keepBytes: number
  /** Each says: so many bytes lay before the entry after `index`. */
  #marks: { readonly index: Index; readonly bytesBefore: number }[] = []
  #bytes = 0

  /** @param keepBytes of log that stay behind a snapshot, give or take an eighth */
  constructor(keepBytes: number) {
    this.#keepBytes = keepBytes
  }

  /** An entry of `bytes` at `index`, the next in the log. */
  add(index: Index, bytes: number): void {
    this.#bytes += bytes
    const last = this.#marks.at(-1)
    if (this.#bytes - (last?.bytesBefore ?? 0) >= this.#keepBytes / MARKS)
      this.#marks.push({ index, bytesBefore: this.#bytes })
  }

  /** Up to where the log may be forgotten after a snapshot at `snapshotIndex`; 0 for nothing. Forgets the marks before. */
  cut(snapshotIndex: Index): Index {
    if (this.#keepBytes === 0) return snapshotIndex
    const until = this.#bytes - this.#keepBytes
    const usable = this.#marks.filter((mark) => mark.bytesBefore <= until && mark.index <= snapshotIndex)
    const mark = usable.at(-1)
    if (mark === undefined) return 0
    this.#marks = this.#marks.filter((other) => other.index >= mark.index)
    return mark.index
  }

  /** The log begins anew behind a snapshot from elsewhere. */
  reset(): void {
    this.#marks = []
    this.#bytes = 0
  }
}

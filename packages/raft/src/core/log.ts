/**
 * The log as the core sees it: the term of every entry, and in memory its tail. Entries that are durable and handed
 * out leave memory, oldest first, when they are too many: see take-ready.ts. Storage has them still.
 *
 *        snapshot      on disk only        in memory
 *     ├────────────┼──────────────────┼────────────────┤
 *                  firstIndex         memoryFirst      lastIndex
 */
import { assert } from '@lab/rpc'
import { EntryKind, recordBytes, type Entry } from '../entry.ts'
import type { Index, SnapshotMeta, Term } from '../types.ts'
import { Terms } from './terms.ts'

/** Stands in the place of an entry that left memory, so that its slab can be collected at once. */
const FORGOTTEN: Entry = {
  index: 0,
  term: 0,
  kind: EntryKind.noop,
  time: 0,
  slab: new Uint8Array(),
  start: 0,
  end: 0,
}

/** What storage found at start. */
export interface LogStart {
  readonly snapshot: SnapshotMeta | null
  readonly firstIndex: Index
  readonly lastIndex: Index
  readonly terms: readonly { readonly first: Index; readonly term: Term }[]
  readonly lastTime: number
}

export class Log {
  /** The first entry that can still be read, from memory or from storage. */
  #firstIndex: Index
  #lastIndex: Index
  #lastTime: number
  #snapshotIndex: Index
  readonly #terms: Terms
  /** Entries from #memoryFirst to #lastIndex, from position #head on; what stands before is forgotten. */
  #entries: Entry[] = []
  #head = 0
  #memoryFirst: Index
  #memoryBytes = 0

  constructor(start: LogStart) {
    this.#firstIndex = start.firstIndex
    this.#lastIndex = start.lastIndex
    this.#lastTime = start.lastTime
    this.#snapshotIndex = start.snapshot?.index ?? 0
    const before = start.firstIndex - 1
    const term = before === 0 ? 0 : before === start.snapshot?.index ? start.snapshot.term : undefined
    this.#terms = new Terms({ index: before, term }, start.terms)
    this.#memoryFirst = start.lastIndex + 1
  }

  get firstIndex(): Index {
    return this.#firstIndex
  }

  /** 0 for an empty log; the snapshot's index when nothing follows it. */
  get lastIndex(): Index {
    return this.#lastIndex
  }

  get lastTerm(): Term {
    return this.termAt(this.#lastIndex) ?? 0
  }

  /** Log time of the last entry. */
  get lastTime(): number {
    return this.#lastTime
  }

  get snapshotIndex(): Index {
    return this.#snapshotIndex
  }

  /** Entries from here on are in memory. */
  get memoryFirst(): Index {
    return this.#memoryFirst
  }

  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /** 0 at index 0; undefined past the end, or before the log where it was compacted away. */
  termAt(index: Index): Term | undefined {
    return index > this.#lastIndex ? undefined : this.#terms.at(index)
  }

  /** Does the log hold this entry (or end its snapshot with it)? */
  matches(index: Index, term: Term): boolean {
    return this.termAt(index) === term
  }

  /** The first index of the term that the entry at `index` has (§5.3, fast backtracking). */
  termStart(index: Index): Index {
    return this.#terms.runStart(index)
  }

  /** The last index ≤ `upTo` with `term`, or 0. */
  lastIndexOfTerm(term: Term, upTo: Index): Index {
    return this.#terms.lastIndexOf(term, Math.min(upTo, this.#lastIndex))
  }

  /** Adds entries at the end, each one past the one before. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.#lastIndex + 1, 'entries are appended without a gap')
      this.#terms.append(entry.index, entry.term)
      this.#entries.push(entry)
      this.#memoryBytes += recordBytes(entry)
      this.#lastIndex = entry.index
      this.#lastTime = entry.time
    }
  }

  /** Removes entries from `index` on: another leader's entries take their place (§5.3). */
  truncateFrom(index: Index): void {
    assert(index >= this.#firstIndex && index <= this.#lastIndex, 'what is truncated is there')
    while (this.#lastIndex >= index && this.#lastIndex >= this.#memoryFirst) this.#popLast()
    this.#lastIndex = index - 1
    this.#memoryFirst = Math.min(this.#memoryFirst, index)
    this.#terms.truncateFrom(index)
    this.#lastTime = this.#last()?.time ?? 0
  }

  /** Entries in memory from `first` to `last`, fewer once `bytesMax` is passed, but at least one. */
  slice(first: Index, last: Index, bytesMax = Infinity): Entry[] {
    assert(first >= this.#memoryFirst && last <= this.#lastIndex, 'the entries are in memory')
    const from = this.#head + first - this.#memoryFirst
    let to = from + last - first + 1
    if (bytesMax !== Infinity) to = this.#fitting(from, to, bytesMax)
    return this.#entries.slice(from, to)
  }

  /** Lets entries up to `index` leave memory until both limits hold. */
  evict(index: Index, bytesMax: number, entriesMax: number): void {
    const last = Math.min(index, this.#lastIndex)
    const tooMany = this.#lastIndex - entriesMax
    while (this.#memoryFirst <= last && (this.#memoryFirst <= tooMany || this.#memoryBytes > bytesMax))
      this.#shiftFirst()
    this.#reclaim()
  }

  /** A snapshot of our own stands for the log up to `meta.index`; entries up to `compactTo` are gone. */
  compact(meta: SnapshotMeta, compactTo: Index): void {
    this.#snapshotIndex = Math.max(this.#snapshotIndex, meta.index)
    if (compactTo < this.#firstIndex) return
    assert(compactTo <= meta.index && meta.index <= this.#lastIndex, 'compaction ends within the snapshot')
    this.#terms.compactTo(compactTo)
    this.#firstIndex = compactTo + 1
    this.#forgetMemoryTo(compactTo)
  }

  /** A snapshot from the leader was installed: entries after it stay when it fits the log, else all are gone (§7). */
  restore(meta: SnapshotMeta): void {
    if (this.matches(meta.index, meta.term)) {
      this.compact(meta, meta.index)
      return
    }
    this.#snapshotIndex = meta.index
    this.#firstIndex = meta.index + 1
    this.#lastIndex = meta.index
    this.#terms.reset(meta.index, meta.term)
    this.#entries = []
    this.#head = 0
    this.#memoryFirst = meta.index + 1
    this.#memoryBytes = 0
  }

  #last(): Entry | undefined {
    return this.#entries.length > this.#head ? this.#entries.at(-1) : undefined
  }

  #fitting(from: number, to: number, bytesMax: number): number {
    let bytes = 0
    for (let at = from; at < to; at++) {
      bytes += recordBytes(this.#entries[at] as Entry)
      if (bytes > bytesMax && at > from) return at
    }
    return to
  }

  #popLast(): void {
    this.#memoryBytes -= recordBytes(this.#entries.pop() as Entry)
    this.#lastIndex--
  }

  #shiftFirst(): void {
    this.#memoryBytes -= recordBytes(this.#entries[this.#head] as Entry)
    this.#entries[this.#head] = FORGOTTEN
    this.#head++
    this.#memoryFirst++
  }

  #forgetMemoryTo(index: Index): void {
    while (this.#memoryFirst <= Math.min(index, this.#lastIndex)) this.#shiftFirst()
    this.#memoryFirst = Math.max(this.#memoryFirst, index + 1)
    this.#reclaim()
  }

  /** Cuts off the forgotten front once it is the larger half, so that the cost per entry stays constant. */
  #reclaim(): void {
    if (this.#head * 2 < this.#entries.length || this.#head === 0) return
    this.#entries = this.#entries.slice(this.#head)
    this.#head = 0
  }
}

/** A disk for one server: what is on it survives a crash, and it checks that the core keeps storage's contract. */
import { assert } from '@lab/rpc'
import { crc32 } from '../../../src/crc32.ts'
import { EntryKind, type Entry } from '../../../src/entry.ts'
import type { CoreOptions, SnapshotChunk, Write } from '../../../src/core/ready.ts'
import type { HardState, Index, SnapshotMeta, Term } from '../../../src/types.ts'

export interface StoredSnapshot {
  readonly meta: SnapshotMeta
  readonly data: Uint8Array
  readonly crc: number
}

export class FakeDisk {
  hardState: HardState = { currentTerm: 0, votedFor: '' }
  snapshot: StoredSnapshot | null = null
  /** Entries from firstIndex on. */
  entries: Entry[] = []
  firstIndex: Index = 1
  /** Which incarnation of each peer was met first. */
  readonly peers = new Map<string, string>()
  #aside: { index: Index; bytes: number[] } | null = null

  get lastIndex(): Index {
    return this.firstIndex + this.entries.length - 1
  }

  entryAt(index: Index): Entry | undefined {
    return this.entries[index - this.firstIndex]
  }

  termAt(index: Index): Term | undefined {
    if (index === 0) return 0
    return (
      this.entryAt(index)?.term ?? (this.snapshot?.meta.index === index ? this.snapshot.meta.term : undefined)
    )
  }

  /** Does it hold this entry, by itself or as part of its snapshot? */
  holds(index: Index, term: Term): boolean {
    if (this.snapshot !== null && index <= this.snapshot.meta.index) return true
    return this.entryAt(index)?.term === term
  }

  write(write: Write): void {
    const [first] = write.entries
    if (first !== undefined) {
      assert(first.index >= this.firstIndex, 'a write does not reach into what was compacted')
      assert(first.index <= this.lastIndex + 1, 'a write leaves no gap')
    }
    for (const entry of write.entries) {
      if (this.entryAt(entry.index)?.term === entry.term) continue
      this.entries.length = entry.index - this.firstIndex
      this.entries.push(entry)
    }
    if (write.hardState === null) return
    assert(write.hardState.currentTerm >= this.hardState.currentTerm, 'the term on disk never goes back')
    if (write.hardState.currentTerm === this.hardState.currentTerm)
      assert(
        this.hardState.votedFor === '' || this.hardState.votedFor === write.hardState.votedFor,
        'a vote is never changed within a term',
      )
    this.hardState = write.hardState
  }

  read(first: Index, last: Index, bytesMax: number): Entry[] {
    if (first < this.firstIndex) return []
    const all = this.entries.slice(first - this.firstIndex, last - this.firstIndex + 1)
    let bytes = 0
    const end = all.findIndex((entry, at) => (bytes += entry.end - entry.start) > bytesMax && at > 0)
    return end < 0 ? all : all.slice(0, end)
  }

  /** Own snapshot. */
  save(snapshot: StoredSnapshot, compactTo: Index): void {
    this.snapshot = snapshot
    this.entries = this.entries.slice(Math.max(0, compactTo + 1 - this.firstIndex))
    this.firstIndex = Math.max(this.firstIndex, compactTo + 1)
  }

  /** A chunk of the leader's. Returns whether it is in order, and with the last one intact. */
  receive(chunk: SnapshotChunk): boolean {
    if (chunk.offset === 0) this.#aside = { index: chunk.meta.index, bytes: [] }
    const aside = this.#aside
    if (aside?.index !== chunk.meta.index || aside.bytes.length !== chunk.offset) return false
    aside.bytes.push(...chunk.data)
    if (!chunk.done) return true
    this.#aside = null
    const data = new Uint8Array(aside.bytes)
    if (data.length !== chunk.size || crc32(data) !== chunk.crc) return false
    this.#commit({ meta: chunk.meta, data, crc: chunk.crc })
    return true
  }

  #commit(snapshot: StoredSnapshot): void {
    const { index, term } = snapshot.meta
    const fits = this.termAt(index) === term
    this.snapshot = snapshot
    if (!fits) {
      this.entries = []
      this.firstIndex = index + 1
    } else {
      this.entries = this.entries.slice(Math.max(0, index + 1 - this.firstIndex))
      this.firstIndex = Math.max(this.firstIndex, index + 1)
    }
  }

  /** Loses what is not durable. */
  crash(): void {
    this.#aside = null
  }

  /** What `Storage.open` would recover. */
  recovered(): Pick<
    CoreOptions,
    'hardState' | 'snapshot' | 'firstIndex' | 'lastIndex' | 'terms' | 'configurations' | 'lastTime'
  > {
    const terms: { first: Index; term: Term }[] = []
    for (const { index, term } of this.entries)
      if (terms.at(-1)?.term !== term) terms.push({ first: index, term })
    return {
      hardState: this.hardState,
      snapshot: this.snapshot?.meta ?? null,
      firstIndex: this.firstIndex,
      lastIndex: this.lastIndex,
      terms,
      configurations: this.entries.filter((entry) => entry.kind === EntryKind.configuration),
      lastTime: this.entries.at(-1)?.time ?? 0,
    }
  }
}

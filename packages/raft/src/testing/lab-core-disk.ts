/**
 * Our core's log on the labs' disk, which takes one blob: every record of the log, then term, vote and what the snapshot
 * stands for. The records stay encoded side by side, so that saving copies bytes and encodes only what is new.
 *
 * The labs count commands, the core counts entries, among them each leader's no-op: this is also where the two meet.
 */
import { ByteReader, ByteWriter, assert } from '@lab/rpc'
import type { Write } from '../core/ready.ts'
import { EntryKind, recordBytes, type Entry } from '../entry.ts'
import { decodeRecords } from '../record.ts'
import type { TermRun } from '../storage.ts'
import type { HardState, Index, SnapshotMeta, Term } from '../types.ts'
import type { LabPersister } from './lab-interface.ts'

/** A snapshot: what it stands for in the core's counting, and in the labs'. */
export interface CoreSnapshot {
  readonly meta: SnapshotMeta
  /** Commands among the entries up to `meta.index`. */
  readonly commands: number
}

/** One entry as it is kept. */
interface Kept {
  readonly entry: Entry
  /** Commands in the log up to and including this entry. */
  readonly commands: number
  /** Where its record ends in the blob. */
  readonly end: number
}

export class CoreDisk {
  readonly #persister: LabPersister
  #hardState: HardState = { currentTerm: 0, votedFor: '' }
  #snapshot: CoreSnapshot | null = null
  /** Entries after the snapshot. */
  #kept: Kept[] = []
  /** Their records, and room behind them. */
  #blob = new Uint8Array(1024)

  /** Reads back what an earlier life saved. */
  constructor(persister: LabPersister) {
    this.#persister = persister
    const state = persister.readState()
    if (state.length > 0) this.#recover(state)
  }

  get hardState(): HardState {
    return this.#hardState
  }

  get snapshot(): CoreSnapshot | null {
    return this.#snapshot
  }

  get firstIndex(): Index {
    return (this.#snapshot?.meta.index ?? 0) + 1
  }

  get lastIndex(): Index {
    return this.firstIndex + this.#kept.length - 1
  }

  /** Commands in the log up to and including the entry at `index`. */
  commandsTo(index: Index): number {
    return index < this.firstIndex ? (this.#snapshot?.commands ?? 0) : this.#at(index).commands
  }

  /** The entry that holds the `command`-th command; 0 when the snapshot covers it or there is none. */
  indexOfCommand(command: number): Index {
    const at = this.#kept.findIndex(({ commands }) => commands === command)
    return command <= (this.#snapshot?.commands ?? 0) || at < 0 ? 0 : this.firstIndex + at
  }

  termAt(index: Index): Term {
    return this.#at(index).entry.term
  }

  /** Both included. */
  entries(first: Index, last: Index): Entry[] {
    return this.#kept.slice(first - this.firstIndex, last + 1 - this.firstIndex).map(({ entry }) => entry)
  }

  terms(): TermRun[] {
    const runs: { first: Index; term: Term }[] = []
    for (const { entry } of this.#kept)
      if (runs.at(-1)?.term !== entry.term) runs.push({ first: entry.index, term: entry.term })
    return runs
  }

  /** Of the entries kept. */
  configurations(): Entry[] {
    return this.#kept.map(({ entry }) => entry).filter(({ kind }) => kind === EntryKind.configuration)
  }

  /** The service's bytes, or nothing. */
  readSnapshot(): Uint8Array {
    return this.#persister.readSnapshot()
  }

  /** Durable when it returns. */
  write({ hardState, entries }: Write): void {
    this.#hardState = hardState ?? this.#hardState
    const first = entries[0]
    if (first !== undefined) this.#kept.length = Math.max(first.index - this.firstIndex, 0)
    for (const entry of entries) this.#append(entry)
    this.#persister.save(this.#encode())
  }

  /** Puts a snapshot in the place of the entries up to its index; later ones stay if they continue it (§7). */
  saveSnapshot(snapshot: CoreSnapshot, bytes: Uint8Array): void {
    const { index, term } = snapshot.meta
    const continues = index >= this.firstIndex && index <= this.lastIndex && this.termAt(index) === term
    const rest = continues ? this.entries(index + 1, this.lastIndex) : []
    this.#snapshot = snapshot
    this.#kept = []
    for (const entry of rest) this.#append(entry)
    this.#persister.save(this.#encode(), bytes)
  }

  #append(entry: Entry): void {
    assert(entry.index === this.lastIndex + 1, 'the log has no gap')
    const start = this.#kept.at(-1)?.end ?? 0
    const end = start + recordBytes(entry)
    this.#makeRoom(end, start)
    this.#blob.set(entry.slab.subarray(entry.start, entry.end), start)
    const commands = this.commandsTo(this.lastIndex) + (entry.kind === EntryKind.command ? 1 : 0)
    this.#kept.push({ entry, commands, end })
  }

  /** Records, then the rest, then the length of the rest. */
  #encode(): Uint8Array {
    const records = this.#kept.at(-1)?.end ?? 0
    const writer = new ByteWriter(64).u64(this.#hardState.currentTerm).text(this.#hardState.votedFor)
    const snapshot = this.#snapshot
    if (snapshot !== null) {
      const { index, term, membership } = snapshot.meta
      writer.u64(index).u64(term).u64(snapshot.commands).bytes(membership)
    }
    const rest = writer.u32(writer.length).view()
    this.#makeRoom(records + rest.length, records)
    this.#blob.set(rest, records)
    return this.#blob.subarray(0, records + rest.length)
  }

  #recover(state: Uint8Array): void {
    const length = new DataView(state.buffer, state.byteOffset).getUint32(state.length - 4, true)
    const recordsEnd = state.length - 4 - length
    const reader = new ByteReader(state.subarray(recordsEnd, state.length - 4))
    this.#hardState = { currentTerm: reader.u64(), votedFor: reader.text() }
    if (reader.remaining > 0) {
      const [index, term, commands] = [reader.u64(), reader.u64(), reader.u64()]
      this.#snapshot = { meta: { index, term, membership: reader.bytes().slice() }, commands }
    }
    for (const entry of decodeRecords(state.subarray(0, recordsEnd))) this.#append(entry)
  }

  #makeRoom(length: number, kept: number): void {
    if (length <= this.#blob.length) return
    const larger = new Uint8Array(2 * length)
    larger.set(this.#blob.subarray(0, kept))
    this.#blob = larger
  }

  #at(index: Index): Kept {
    const kept = this.#kept[index - this.firstIndex]
    assert(kept !== undefined, 'the entry is in the log')
    return kept
  }
}

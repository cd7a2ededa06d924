/**
 * What is on disk, what is on its way there, and which promises wait for it. A promise (a vote, an acknowledgement, a
 * request for votes in a new term) names what it rests on, and cannot leave before that is durable (§5, thesis §3.8).
 *
 *     changed in memory ──takeWrite──▶ in flight ──persisted──▶ durable
 *        #forNext waits                 #forInFlight waits
 */
import { assert } from '@lab/rpc'
import type { HardState, Index } from '../types.ts'
import type { Log } from './log.ts'
import type { Envelope } from './messages.ts'
import type { Write } from './ready.ts'

interface InFlight {
  readonly id: number
  readonly hardState: HardState | null
  /** The last entry of it that the log in memory still holds: lowered when entries are truncated meanwhile. */
  lastIndex: Index
  readonly since: number
}

/** A promise, and the last entry that it rests on. */
interface Held {
  readonly envelope: Envelope
  readonly index: Index
}

export class Durability {
  /** Entries up to here are on disk as they are in memory. */
  #durableIndex: Index
  /** Entries up to here are on disk or in the write in flight, as they are in memory; ≥ #durableIndex. */
  #writtenIndex: Index
  /** Term or vote changed since the last write was taken. */
  #hardStateChanged = false
  #inFlight: InFlight | null = null
  #lastWriteId = 0
  #forNext: Held[] = []
  #forInFlight: Envelope[] = []

  constructor(lastIndex: Index) {
    this.#durableIndex = lastIndex
    this.#writtenIndex = lastIndex
  }

  get durableIndex(): Index {
    return this.#durableIndex
  }

  /** Promises that wait for the write in flight, and those that wait for a later one. */
  get waiting(): { readonly forInFlight: readonly Envelope[]; readonly forNext: readonly Envelope[] } {
    return { forInFlight: this.#forInFlight, forNext: this.#forNext.map(({ envelope }) => envelope) }
  }

  get writing(): boolean {
    return this.#inFlight !== null
  }

  /** When the write in flight began, or Infinity. */
  get writingSince(): number {
    return this.#inFlight?.since ?? Infinity
  }

  /** The last entry of the write in flight, or of the one before it. */
  get writingUpTo(): Index {
    return this.#inFlight?.lastIndex ?? this.#durableIndex
  }

  hardStateChanged(): void {
    this.#hardStateChanged = true
  }

  /** Is there anything to write? */
  pending(log: Log): boolean {
    return this.#hardStateChanged || this.#writtenIndex < log.lastIndex
  }

  /** Has every entry of the log been written, with nothing under way? */
  settled(log: Log): boolean {
    return this.#inFlight === null && this.#writtenIndex === log.lastIndex
  }

  /**
   * Sends `envelope` through `send`, now or once term, vote and entries up to `index` are durable.
   *
   * @param index the last entry that the promise rests on, as it is in memory now; 0 for none
   */
  promise(envelope: Envelope, index: Index, send: (envelope: Envelope) => void): void {
    if (this.#hardStateChanged || index > this.#writtenIndex) this.#forNext.push({ envelope, index })
    else if (this.#inFlight !== null && (this.#inFlight.hardState !== null || index > this.#durableIndex))
      this.#forInFlight.push(envelope)
    else send(envelope)
  }

  /**
   * The next write and what may be sent once it is durable. Only when none is in flight and something is pending.
   *
   * @param bytesMax of entries in it; what is left is for the write after it, so that no write keeps a server from answering for long
   */
  takeWrite(
    log: Log,
    { hardState, now, bytesMax }: { hardState: HardState; now: number; bytesMax: number },
  ): { write: Write; sendWhenDurable: Envelope[] } {
    assert(this.#inFlight === null, 'one write at a time')
    const first = this.#writtenIndex + 1
    const entries = first <= log.lastIndex ? log.slice(first, log.lastIndex, bytesMax) : []
    const write = {
      id: ++this.#lastWriteId,
      hardState: this.#hardStateChanged ? hardState : null,
      entries,
    }
    this.#writtenIndex += entries.length
    this.#inFlight = {
      id: write.id,
      hardState: write.hardState,
      lastIndex: this.#writtenIndex,
      since: now,
    }
    this.#hardStateChanged = false
    return { write, sendWhenDurable: this.#takeHeld(hardState) }
  }

  /** The promises that rest on no more than what is written now. */
  #takeHeld({ currentTerm }: HardState): Envelope[] {
    const held = this.#forNext
    // Promises of a term that is past are worth nothing to anybody, and what they rested on may have been replaced.
    const current = held.filter(({ envelope }) => envelope.message.term >= currentTerm)
    this.#forNext = current.filter(({ index }) => index > this.#writtenIndex)
    return current.filter(({ index }) => index <= this.#writtenIndex).map(({ envelope }) => envelope)
  }

  /** The write is on disk. Returns the term and vote that it made durable, and what may leave now. */
  persisted(id: number): { hardState: HardState | null; send: Envelope[] } {
    const done = this.#inFlight
    assert(done?.id === id, 'the write that is reported durable is the one in flight')
    this.#inFlight = null
    // Entries that were truncated during the write do not count, even if other ones took their indexes meanwhile.
    this.#durableIndex = Math.max(this.#durableIndex, done.lastIndex)
    const send = this.#forInFlight
    this.#forInFlight = []
    return { hardState: done.hardState, send }
  }

  /** Entries from `index` on are no longer in the log: what the disk has there is another's. */
  truncatedFrom(index: Index): void {
    this.#durableIndex = Math.min(this.#durableIndex, index - 1)
    this.#writtenIndex = Math.min(this.#writtenIndex, index - 1)
    if (this.#inFlight !== null) this.#inFlight.lastIndex = Math.min(this.#inFlight.lastIndex, index - 1)
  }

  /** A snapshot up to `index` took the place of the log, which now ends at `lastIndex`; no entries were being written. */
  restored(index: Index, lastIndex: Index): void {
    this.#durableIndex = Math.min(Math.max(this.#durableIndex, index), lastIndex)
    this.#writtenIndex = this.#durableIndex
    if (this.#inFlight !== null)
      this.#inFlight.lastIndex = Math.min(this.#inFlight.lastIndex, this.#durableIndex)
  }
}

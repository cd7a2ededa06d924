import type { Milliseconds } from '@lab/rpc'
import { RaftError } from '../errors.ts'
import type { Index, Term } from '../types.ts'
import { Admission } from './admission.ts'
import type { DriverLimits } from './driver-options.ts'

interface Pending {
  readonly payload: Uint8Array
  /** Where it was appended; 0 while queued. */
  index: Index
  term: Term
  readonly resolve: (reply: Uint8Array) => void
  readonly reject: (error: RaftError) => void
}

/** Stands in the place of one that waits no more. */
const DROPPED: Pending = {
  payload: new Uint8Array(),
  index: 0,
  term: 0,
  resolve: () => undefined,
  reject: () => undefined,
}

/**
 * Proposals at the server that leads: queued until the turn ends, then appended together, then each waiting for its entry to be
 * applied here.
 */
export class PendingProposals {
  #queued: Pending[] = []
  /** In the order of their indices, from #head on: they are applied in that order. */
  #appended: Pending[] = []
  #head = 0
  #bytes = 0
  /** Answered because their place in the log was applied, of all times. */
  #done = 0
  readonly #admission: Admission
  readonly #bytesMax: number

  constructor({
    proposalsMax,
    proposalBytesMax,
    proposalWaitMs,
  }: Pick<DriverLimits, 'proposalsMax' | 'proposalBytesMax' | 'proposalWaitMs'>) {
    this.#admission = new Admission(proposalsMax, proposalWaitMs)
    this.#bytesMax = proposalBytesMax
  }

  /** All that wait. */
  get size(): number {
    return this.#queued.length + this.#appended.length - this.#head
  }

  /** Payload bytes of all that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** May one more of so many bytes wait here? */
  hasRoom(bytes: number): boolean {
    return this.size < this.#admission.room && this.#bytes + bytes <= this.#bytesMax
  }

  /** One of the two is called, once: with the reply once applied here, or with why it will not be. */
  add(payload: Uint8Array, resolve: (reply: Uint8Array) => void, reject: (error: RaftError) => void): void {
    this.#bytes += payload.length
    this.#queued.push({ payload, index: 0, term: 0, resolve, reject })
  }

  /** What is queued, in order. It is to be followed at once by `appended` or `refused`. */
  queued(): readonly Uint8Array[] {
    return this.#queued.map(({ payload }) => payload)
  }

  /** The queue now stands in the log, from `first` on. */
  appended(first: Index, term: Term, now: Milliseconds): void {
    let index = first
    for (const pending of this.#queued) {
      pending.index = index++
      pending.term = term
      this.#appended.push(pending)
    }
    this.#queued = []
    this.#admission.appended(this.size, this.#done, now)
  }

  /** A batch has been applied. */
  progressed(now: Milliseconds): void {
    this.#admission.progressed(this.#done, now)
  }

  /** Nothing of the queue was appended. */
  refused(makeError: () => RaftError): void {
    const refused = this.#queued
    this.#queued = []
    for (const pending of refused) {
      this.#bytes -= pending.payload.length
      pending.reject(makeError())
    }
  }

  /** The entry at `index` has been applied; all before it were, or a snapshot stood for them. */
  applied(index: Index, term: Term, reply: Uint8Array): void {
    for (;;) {
      const pending = this.#appended[this.#head]
      if (pending === undefined || pending.index > index) return
      this.#shift()
      this.#done++
      this.#bytes -= pending.payload.length
      if (pending.index < index) pending.reject(lost('unknown'))
      else this.#answer(pending, term, reply)
    }
  }

  #answer(pending: Pending, term: Term, reply: Uint8Array): void {
    if (pending.term === term) pending.resolve(reply)
    // Another leader's entry is committed in its place: ours never will be.
    else pending.reject(lost('not-applied'))
  }

  /** This server leads in `term`, or does not lead (0): what was appended in earlier terms and is not committed is in others' hands. */
  leadershipLost(term: Term, commitIndex: Index): void {
    this.#admission.forget()
    const all = this.#takeAppended()
    const isLost = (pending: Pending): boolean => pending.term !== term && pending.index > commitIndex
    this.#appended = all.filter((pending) => !isLost(pending))
    for (const pending of all) {
      if (!isLost(pending)) continue
      this.#bytes -= pending.payload.length
      pending.reject(lost('unknown'))
    }
  }

  /** Nothing will be appended or applied any more. */
  close(makeError: (outcome: 'unknown' | 'not-applied') => RaftError): void {
    this.refused(() => makeError('not-applied'))
    const all = this.#takeAppended()
    this.#bytes = 0
    for (const pending of all) pending.reject(makeError('unknown'))
  }

  /** Drops the first that was appended; the array is cut once the larger half of it is dropped. */
  #shift(): void {
    this.#appended[this.#head++] = DROPPED
    if (this.#head * 2 < this.#appended.length) return
    this.#appended = this.#appended.slice(this.#head)
    this.#head = 0
  }

  #takeAppended(): Pending[] {
    const all = this.#appended.slice(this.#head)
    this.#appended = []
    this.#head = 0
    return all
  }
}

function lost(outcome: 'unknown' | 'not-applied'): RaftError {
  const fate = outcome === 'unknown' ? 'it may still commit' : 'another entry was committed in its place'
  return new RaftError('LEADERSHIP_LOST', `the leader that appended this command lost its office: ${fate}`, {
    outcome,
  })
}

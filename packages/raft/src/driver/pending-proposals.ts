import { RaftError } from '../errors.ts'
import type { Index, Term } from '../types.ts'

interface Pending {
  readonly payload: Uint8Array
  /** 0 while queued. */
  term: Term
  readonly resolve: (reply: Uint8Array) => void
  readonly reject: (error: RaftError) => void
}

/**
 * Proposals at the server that leads: queued until the turn ends, then appended together, then each waiting for its entry to be
 * applied here.
 */
export class PendingProposals {
  #queued: Pending[] = []
  readonly #appended = new Map<Index, Pending>()
  #bytes = 0

  /** All that wait. */
  get size(): number {
    return this.#queued.length + this.#appended.size
  }

  /** Payload bytes of all that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** One of the two is called, once: with the reply once applied here, or with why it will not be. */
  add(payload: Uint8Array, resolve: (reply: Uint8Array) => void, reject: (error: RaftError) => void): void {
    this.#bytes += payload.length
    this.#queued.push({ payload, term: 0, resolve, reject })
  }

  /** What is queued, in order. It is to be followed at once by `appended` or `refused`. */
  queued(): readonly Uint8Array[] {
    return this.#queued.map(({ payload }) => payload)
  }

  /** The queue now stands in the log, from `first` on. */
  appended(first: Index, term: Term): void {
    let index = first
    for (const pending of this.#queued) {
      pending.term = term
      this.#appended.set(index++, pending)
    }
    this.#queued = []
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

  /** The entry at `index` has been applied. */
  applied(index: Index, term: Term, reply: Uint8Array): void {
    const pending = this.#appended.get(index)
    if (pending === undefined) return
    this.#remove(index, pending)
    if (pending.term === term) pending.resolve(reply)
    // Another leader's entry is committed in its place: ours never will be.
    else pending.reject(lost('not-applied'))
  }

  /** This server leads in `term`, or does not lead (0): what was appended in earlier terms and is not committed is in others' hands. */
  leadershipLost(term: Term, commitIndex: Index): void {
    for (const [index, pending] of this.#appended) {
      if (pending.term === term || index <= commitIndex) continue
      this.#remove(index, pending)
      pending.reject(lost('unknown'))
    }
  }

  /** Nothing will be appended or applied any more. */
  close(makeError: (outcome: 'unknown' | 'not-applied') => RaftError): void {
    this.refused(() => makeError('not-applied'))
    const all = [...this.#appended.values()]
    this.#appended.clear()
    this.#bytes = 0
    for (const pending of all) pending.reject(makeError('unknown'))
  }

  #remove(index: Index, pending: Pending): void {
    this.#appended.delete(index)
    this.#bytes -= pending.payload.length
  }
}

function lost(outcome: 'unknown' | 'not-applied'): RaftError {
  const fate = outcome === 'unknown' ? 'it may still commit' : 'another entry was committed in its place'
  return new RaftError('LEADERSHIP_LOST', `the leader that appended this command lost its office: ${fate}`, {
    outcome,
  })
}

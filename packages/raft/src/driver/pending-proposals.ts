import type { Milliseconds } from '@lab/rpc'
import { RaftError } from '../errors.ts'
import type { Index, Term } from '../types.ts'
import { Admission } from './admission.ts'
import type { DriverLimits } from './driver-options.ts'
import type { RequestMeter } from './request-meter.ts'

/** Whoever proposes is told once of each command, by its place among those that it proposed together. */
export interface Proposing {
  /** The reply, once the command is applied here. */
  applied(place: number, reply: Uint8Array): void
  /** Why it will not be, or is not known to be. */
  failed(place: number, error: RaftError): void
}

/** Commands that were proposed together: they stand in the log one right after the other. */
interface Run {
  readonly payloads: readonly Uint8Array[]
  readonly proposing: Proposing
  /** Where the first was appended; 0 while queued. */
  first: Index
  term: Term
  /** When it was appended; null while queued. */
  since: Milliseconds | null
  /** Of so many, from the first on, it has been told. */
  done: number
  /** What stands behind so many is in others' hands, and it has been told. */
  count: number
}

/**
 * Proposals at the server that leads: queued until the turn ends, then appended together, then each waiting for its entry to be
 * applied here.
 */
export class PendingProposals {
  #queued: Run[] = []
  /** In the order of their indices, from #head on: they are applied in that order. */
  #appended: Run[] = []
  #head = 0
  /** Commands, of all runs. */
  #size = 0
  #bytes = 0
  /** Answered because their place in the log was applied, of all times. */
  #done = 0
  readonly #admission: Admission
  readonly #bytesMax: number
  readonly #meter: RequestMeter

  constructor(
    {
      proposalsMax,
      proposalBytesMax,
      proposalWaitMs,
    }: Pick<DriverLimits, 'proposalsMax' | 'proposalBytesMax' | 'proposalWaitMs'>,
    meter: RequestMeter,
  ) {
    this.#meter = meter
    this.#admission = new Admission(proposalsMax, proposalWaitMs)
    this.#bytesMax = proposalBytesMax
  }

  /** All that wait. */
  get size(): number {
    return this.#size
  }

  /** Payload bytes of all that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many of `payloads`, from the first on, may wait here besides those that do. */
  room(payloads: readonly Uint8Array[]): number {
    const most = Math.min(payloads.length, this.#admission.room - this.#size)
    let bytes = this.#bytes
    for (let count = 0; count < most; count++) {
      bytes += (payloads[count] as Uint8Array).length
      if (bytes > this.#bytesMax) return count
    }
    return Math.max(0, most)
  }

  add(payloads: readonly Uint8Array[], proposing: Proposing): void {
    for (const payload of payloads) this.#bytes += payload.length
    this.#size += payloads.length
    this.#queued.push({
      payloads,
      proposing,
      first: 0,
      term: 0,
      since: null,
      done: 0,
      count: payloads.length,
    })
  }

  /** What is queued, in order. It is to be followed at once by `appended` or `refused`. */
  queued(): readonly Uint8Array[] {
    const only = this.#queued[0]
    if (only === undefined) return NOTHING
    return this.#queued.length === 1 ? only.payloads : this.#queued.flatMap(({ payloads }) => payloads)
  }

  /** The queue now stands in the log, from `first` on. */
  appended(first: Index, term: Term, now: Milliseconds): void {
    let index = first
    for (const run of this.#queued) {
      run.first = index
      run.term = term
      run.since = now
      index += run.count
      this.#appended.push(run)
    }
    this.#queued = []
    this.#admission.appended(this.#size, this.#done, now)
  }

  /** A batch has been applied. */
  progressed(now: Milliseconds): void {
    this.#admission.progressed(this.#done, now)
    this.#meter.settle(now)
  }

  /** Nothing of the queue was appended. */
  refused(makeError: () => RaftError): void {
    const refused = this.#queued
    this.#queued = []
    for (const run of refused) this.#fail(run, run.count, makeError)
  }

  /** The entry at `index` has been applied; all before it were, or a snapshot stood for them. */
  applied(index: Index, term: Term, reply: Uint8Array): void {
    for (;;) {
      const run = this.#appended[this.#head]
      if (run === undefined || run.first + run.done > index) return
      const before = Math.min(run.count, index - run.first) - run.done
      this.#done += before
      this.#fail(run, before, () => lost('unknown'))
      if (run.done < run.count) this.#answer(run, term, reply)
      if (run.done === run.count) this.#shift()
    }
  }

  #answer(run: Run, term: Term, reply: Uint8Array): void {
    this.#done++
    if (run.term !== term) {
      // Another leader's entry is committed in its place: ours never will be.
      this.#fail(run, 1, () => lost('not-applied'))
      return
    }
    const place = this.#leave(run)
    this.#meter.applied(run.payloads[place] as Uint8Array, reply, run.since)
    run.proposing.applied(place, reply)
  }

  /** This server leads in `term`, or does not lead (0): what was appended in earlier terms and is not committed is in others' hands. @returns how many that are */
  leadershipLost(term: Term, commitIndex: Index): number {
    const before = this.#size
    this.#admission.forget()
    const all = this.#takeAppended()
    for (const run of all) {
      const kept = run.term === term ? run.count : Math.min(run.count, commitIndex - run.first + 1)
      if (kept > run.done) this.#appended.push(run)
    }
    for (const run of all) if (run.term !== term) this.#cut(run, commitIndex)
    return before - this.#size
  }

  /** Nothing will be appended or applied any more. */
  close(makeError: (outcome: 'unknown' | 'not-applied') => RaftError): void {
    this.refused(() => makeError('not-applied'))
    for (const run of this.#takeAppended()) this.#fail(run, run.count - run.done, () => makeError('unknown'))
  }

  /** What stands behind `commitIndex` is in others' hands. */
  #cut(run: Run, commitIndex: Index): void {
    const kept = Math.max(run.done, Math.min(run.count, commitIndex - run.first + 1))
    const cut = run.payloads.slice(kept, run.count)
    run.count = kept
    for (const [at, payload] of cut.entries()) {
      this.#size--
      this.#bytes -= payload.length
      const error = lost('unknown')
      this.#meter.failed(payload, error.code, run.since)
      run.proposing.failed(kept + at, error)
    }
  }

  /** The next `count` of a run end otherwise than by being applied. */
  #fail(run: Run, count: number, makeError: () => RaftError): void {
    for (; count > 0; count--) {
      const place = this.#leave(run)
      const error = makeError()
      this.#meter.failed(run.payloads[place] as Uint8Array, error.code, run.since)
      run.proposing.failed(place, error)
    }
  }

  /** The next of a run waits no more. @returns its place */
  #leave(run: Run): number {
    const place = run.done++
    this.#size--
    this.#bytes -= (run.payloads[place] as Uint8Array).length
    return place
  }

  /** Drops the first run that was appended; the array is cut once the larger half of it is dropped. */
  #shift(): void {
    this.#appended[this.#head++] = DROPPED
    if (this.#head * 2 < this.#appended.length) return
    this.#appended = this.#appended.slice(this.#head)
    this.#head = 0
  }

  #takeAppended(): Run[] {
    const all = this.#appended.slice(this.#head)
    this.#appended = []
    this.#head = 0
    return all
  }
}

const NOTHING: readonly Uint8Array[] = []

/** Stands in the place of a run that waits no more. */
const DROPPED: Run = {
  payloads: [],
  proposing: { applied: () => undefined, failed: () => undefined },
  first: 0,
  term: 0,
  since: null,
  done: 0,
  count: 0,
}

function lost(outcome: 'unknown' | 'not-applied'): RaftError {
  const fate = outcome === 'unknown' ? 'it may still commit' : 'another entry was committed in its place'
  return new RaftError('LEADERSHIP_LOST', `the leader that appended this command lost its office: ${fate}`, {
    outcome,
  })
}

/**
 * How long requests took, told apart by what they ask and how they ended. It stands on the path of every command, so it reads no clock:
 * what ended is noted with the time at which it began, those alike as one, and is entered when the driver next knows the time.
 */
import type { Milliseconds } from '@lab/rpc'
import { ENVELOPE, commandAt } from '../rsm/envelope.ts'
import { outcomeOf } from '../rsm/reply.ts'
import { Histogram, type Distribution } from './histogram.ts'

/** Requests that are alike, since the start. */
export interface RequestDurations {
  /** `session`: a client opened one. */
  readonly type: RequestType
  /** Of the command or query: with a binary codec it says what is asked. Null when there is none. Or what {@link RequestKinds} say. */
  readonly firstByte: number | null
  /** `ok`: applied or answered; otherwise the code of the error, such as `NOT_LEADER`. */
  readonly outcome: string
  /** From here to the answer: of commands, since the turn in which they were proposed. */
  readonly ms: Distribution
}

export type RequestType = 'command' | 'query' | 'session'

/** Tell apart what is asked, by numbers from 0 to 255; undefined when they cannot. They stand on the path of every request. */
export interface RequestKinds {
  /** @param at where the command begins in `bytes` */
  command(bytes: Uint8Array, at: number): number | undefined
  query(bytes: Uint8Array): number | undefined
}

const BY_FIRST_BYTE: RequestKinds = { command: (bytes, at) => bytes[at], query: (bytes) => bytes[0] }

/** What has ended since the time was last known. */
interface Ended {
  readonly place: number
  readonly outcome: string
  readonly since: Milliseconds
  count: number
}

const BYTES = 256
/** Places of a table: commands by first byte and those without, queries likewise, sessions. */
const QUERIES = BYTES + 1
const SESSIONS = 2 * QUERIES

export class RequestMeter {
  /** By outcome, then by place. */
  readonly #tables = new Map<string, (Histogram | undefined)[]>()
  readonly #ended: Ended[] = []
  #last: Ended | null = null
  readonly #kinds: RequestKinds

  constructor(kinds: RequestKinds = BY_FIRST_BYTE) {
    this.#kinds = kinds
  }

  /** @param payload its envelope @param since null: it was refused before it began */
  applied(payload: Uint8Array, reply: Uint8Array, since: Milliseconds | null): void {
    this.#note(this.#placeOf(payload), outcomeOf(reply), since)
  }

  /** @param code of the error that it ended with */
  failed(payload: Uint8Array, code: string, since: Milliseconds | null): void {
    this.#note(this.#placeOf(payload), code, since)
  }

  query(query: Uint8Array, outcome: string, ms: Milliseconds): void {
    this.#enter(QUERIES + (this.#kinds.query(query) ?? BYTES), outcome, ms, 1)
  }

  /** It is `now`: what ended since the last time took until now. */
  settle(now: Milliseconds): void {
    if (this.#last === null) return
    for (const { place, outcome, since, count } of this.#ended)
      this.#enter(place, outcome, Math.max(0, now - since), count)
    this.#ended.length = 0
    this.#last = null
  }

  snapshot(): RequestDurations[] {
    return [...this.#tables].flatMap(([outcome, table]) =>
      table.flatMap((histogram, place) =>
        histogram === undefined ? [] : [{ ...describe(place), outcome, ms: histogram.snapshot() }],
      ),
    )
  }

  #placeOf(payload: Uint8Array): number {
    if (payload[0] === ENVELOPE.open) return SESSIONS
    const at = commandAt(payload)
    return (at === undefined ? undefined : this.#kinds.command(payload, at)) ?? BYTES
  }

  #note(place: number, outcome: string, since: Milliseconds | null): void {
    if (since === null) {
      this.#enter(place, outcome, 0, 1)
      return
    }
    const last = this.#last
    if (last !== null && last.place === place && last.outcome === outcome && last.since === since) {
      last.count++
      return
    }
    this.#last = { place, outcome, since, count: 1 }
    this.#ended.push(this.#last)
  }

  #enter(place: number, outcome: string, ms: Milliseconds, count: number): void {
    let table = this.#tables.get(outcome)
    if (table === undefined) this.#tables.set(outcome, (table = []))
    table[place] ??= new Histogram()
    table[place].observe(ms, count)
  }
}

function describe(place: number): Pick<RequestDurations, 'type' | 'firstByte'> {
  if (place === SESSIONS) return { type: 'session', firstByte: null }
  const byte = place % QUERIES
  return { type: place < QUERIES ? 'command' : 'query', firstByte: byte === BYTES ? null : byte }
}

/**
 * How long requests took, told apart by what they ask and how they ended. It stands on the path of every command, so it reads no clock:
 * what ended is noted with the time at which it began, those alike as one, and is entered when the driver next knows the time.
 */
import type { Milliseconds } from '@lab/rpc'
import { ENVELOPE, firstByteOfCommand } from '../rsm/envelope.ts'
import { outcomeOf } from '../rsm/reply.ts'
import { Histogram, type Distribution } from './histogram.ts'

/** Requests that are alike, since the start. */
export interface RequestDurations {
  /** `session`: a client opened one. */
  readonly type: RequestType
  /** Of the command or query: with a binary codec it says what is asked. Null when there is none. */
  readonly firstByte: number | null
  /** `ok`: applied or answered; otherwise the code of the error, such as `NOT_LEADER`. */
  readonly outcome: string
  /** From here to the answer: of commands, since the turn in which they were proposed. */
  readonly ms: Distribution
}

export type RequestType = 'command' | 'query' | 'session'

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

  /** @param payload its envelope @param since null: it was refused before it began */
  applied(payload: Uint8Array, reply: Uint8Array, since: Milliseconds | null): void {
    this.#note(placeOf(payload), outcomeOf(reply), since)
  }

  /** @param code of the error that it ended with */
  failed(payload: Uint8Array, code: string, since: Milliseconds | null): void {
    this.#note(placeOf(payload), code, since)
  }

  query(query: Uint8Array, outcome: string, ms: Milliseconds): void {
    this.#enter(QUERIES + (query[0] ?? BYTES), outcome, ms, 1)
  }

  /** It is `now`: what ended since the last time took until now. */
  settle(now: Milliseconds): void {
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

function placeOf(payload: Uint8Array): number {
  return payload[0] === ENVELOPE.open ? SESSIONS : (firstByteOfCommand(payload) ?? BYTES)
}

function describe(place: number): Pick<RequestDurations, 'type' | 'firstByte'> {
  if (place === SESSIONS) return { type: 'session', firstByte: null }
  const byte = place % QUERIES
  return { type: place < QUERIES ? 'command' : 'query', firstByte: byte === BYTES ? null : byte }
}

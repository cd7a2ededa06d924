/** Text of a trace file → events with a time that files of several processes share. */
import { TRACE_VERSION, type TraceEvent, type TraceHeader } from '@lab/rpc'

/** An event, and when it happened on the clock of the world. */
export interface TimedEvent {
  /** Microseconds since 1970; in a simulation since its beginning. */
  readonly time: number
  /** Which life of the process that wrote the file, from 1: numbers of events start anew with each. */
  readonly life: number
  readonly event: TraceEvent
}

/** A file that is no trace, or is damaged. `message` names the file and the line. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
  readonly code: 'BAD_TRACE' | 'VERSION'
  constructor(code: TraceError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Reads one trace file line by line. A process that is killed leaves half a line behind, and started again it goes on in
 * the same file with a header of its own: half a line is forgiven at the end and before a header, nowhere else.
 */
export class TraceParser {
  readonly #name: string
  #lines = 0
  #life = 0
  #header: TraceHeader | null = null
  #torn: TraceError | null = null

  /** @param name of the file, for messages */
  constructor(name: string) {
    this.#name = name
  }

  /** The latest header read; null before the first. */
  get header(): TraceHeader | null {
    return this.#header
  }

  /**
   * @param line without its end
   * @returns null for a header, an empty line, or half a line
   * @throws {TraceError} when an earlier line was damaged, or this one is no event
   */
  line(line: string): TimedEvent | null {
    this.#lines++
    if (line === '') return null
    const value = parseObject(line)
    if (value === null) {
      this.#refuseTorn()
      this.#torn = this.#error('is not a JSON object')
      return null
    }
    if ('v' in value && !('k' in value)) {
      this.#torn = null
      this.#life++
      this.#header = this.#checkHeader(value)
      return null
    }
    this.#refuseTorn()
    return this.#event(value)
  }

  #event(value: object): TimedEvent {
    if (this.#header === null) throw this.#error('comes before any header {"v":1,…}: is this a trace file?')
    if (!isEvent(value)) throw this.#error('lacks i, t, n or k')
    return { time: this.#header.start * 1000 + value.t, life: this.#life, event: value }
  }

  #checkHeader(value: object): TraceHeader {
    const { v, start } = value as Partial<Record<keyof TraceHeader, unknown>>
    if (v !== TRACE_VERSION)
      throw new TraceError(
        'VERSION',
        `${this.#name} is a trace of version ${String(v)}; this program reads version ${TRACE_VERSION}`,
      )
    if (typeof start !== 'number') throw this.#error('is a header without a start')
    return value as TraceHeader
  }

  #refuseTorn(): void {
    if (this.#torn !== null) throw this.#torn
  }

  #error(what: string): TraceError {
    return new TraceError('BAD_TRACE', `${this.#name}, line ${this.#lines} ${what}`)
  }
}

function parseObject(line: string): object | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

function isEvent(value: object): value is TraceEvent {
  const { i, t, n, k } = value as Partial<TraceEvent>
  return typeof i === 'number' && typeof t === 'number' && typeof n === 'string' && typeof k === 'string'
}

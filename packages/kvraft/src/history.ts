/**
 * The latest changes, for watches that come back: at most so many bytes of them, the oldest forgotten first. Which are kept
 * follows from the commands alone, so that every replica keeps the same; a snapshot holds them all. They lie in pages as
 * they go over the wire, see events.ts, and are never changed.
 */
import { EVENT_HEAD_BYTES, type EventKind } from './events.ts'
import type { Pair } from './memory/records.ts'
import { readU32, varintLength, writeU32, writeVarint } from './memory/varint.ts'

/** A page is as large as what is held already, within these: a store of few changes is small. */
const PAGE_BYTES_MIN = 512
const PAGE_BYTES_MAX = 64 * 1024

interface Page {
  readonly bytes: Uint8Array
  /** The events held are in [start, end). */
  start: number
  end: number
  /** The revision of the event at `start`. */
  first: number
  /** A snapshot reads it: it must not be used again. */
  shared: boolean
}

/** A run of events, one behind the other. */
export interface EventRun {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

export class History {
  readonly bytesMax: number
  readonly #pages: Page[] = []
  #spare: Page | null = null
  #bytes = 0
  #count = 0
  #last: number

  /** @param last the revision of the store: what came before is not known */
  constructor(bytesMax: number, last: number) {
    this.bytesMax = bytesMax
    this.#last = last
  }

  /** The oldest revision held; one past the newest when there is none. */
  get first(): number {
    return this.#last - this.#count + 1
  }

  /** How many events are held. */
  get count(): number {
    return this.#count
  }

  /** Of all events held. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the change that made `revision`, the next one. At the end of a key, `pair` has no value. */
  add(kind: EventKind, revision: number, version: number, pair: Pair): void {
    const { bytes, keyLength } = pair
    const numbers = varintLength(revision) + varintLength(version) + varintLength(keyLength)
    const length = 1 + numbers + bytes.length
    const page = this.#pageFor(EVENT_HEAD_BYTES + length, revision)
    writeU32(page.bytes, page.end, length)
    let to = page.end + EVENT_HEAD_BYTES
    page.bytes[to++] = kind
    to = writeVarint(page.bytes, to, revision)
    to = writeVarint(page.bytes, to, version)
    to = writeVarint(page.bytes, to, keyLength)
    page.bytes.set(bytes, to)
    page.end = to + bytes.length
    this.#added(EVENT_HEAD_BYTES + length, revision, 1)
  }

  /** Adds the next events out of a snapshot: all of their bytes, each with its length before it. @param first revision of the first */
  load(events: Uint8Array, first: number, count: number): void {
    const page = this.#pageFor(events.length, first)
    page.bytes.set(events, page.end)
    page.end += events.length
    this.#added(events.length, first, count)
  }

  /** The same for bytes that nobody else will use: they become a page. */
  adopt(events: Uint8Array, first: number, count: number): void {
    this.#pages.push({ bytes: events, start: 0, end: events.length, first, shared: false })
    this.#added(events.length, first, count)
  }

  /**
   * Hands out the events from revision `from` on, which is held, until `take` returns false. Its arguments are the event with
   * its length before it; the bytes are good within the call.
   */
  read(from: number, take: (bytes: Uint8Array, start: number, end: number) => boolean): void {
    let number = this.#pageOf(from)
    for (let skip = from - (this.#pages[number]?.first ?? from); ; number++) {
      const page = this.#pages[number]
      if (page === undefined) return
      for (let at = page.start; at < page.end;) {
        const next = at + EVENT_HEAD_BYTES + readU32(page.bytes, at)
        if (skip > 0) skip--
        else if (!take(page.bytes, at, next)) return
        at = next
      }
    }
  }

  /** All events of this moment. Good for as long as they are wanted. */
  freeze(): EventRun[] {
    return this.#pages.map((page) => {
      page.shared = true
      return { bytes: page.bytes, start: page.start, end: page.end }
    })
  }

  #added(bytes: number, first: number, count: number): void {
    this.#bytes += bytes
    this.#count += count
    this.#last = first + count - 1
    while (this.#bytes > this.bytesMax) this.#dropFirst()
  }

  #dropFirst(): void {
    const page = this.#pages[0] as Page
    const bytes = EVENT_HEAD_BYTES + readU32(page.bytes, page.start)
    page.start += bytes
    page.first++
    this.#bytes -= bytes
    this.#count--
    if (page.start < page.end) return
    this.#pages.shift()
    if (!page.shared && page.bytes.length <= PAGE_BYTES_MAX) this.#spare = page
  }

  /** A page with room for an event of so many bytes. */
  #pageFor(bytes: number, revision: number): Page {
    const last = this.#pages.at(-1)
    if (last !== undefined && last.end + bytes <= last.bytes.length) return last
    const spare = bytes <= (this.#spare?.bytes.length ?? 0) ? this.#spare : null
    if (spare !== null) this.#spare = null
    const size = Math.min(Math.max(PAGE_BYTES_MIN, this.#bytes), PAGE_BYTES_MAX)
    const memory = spare?.bytes ?? new Uint8Array(Math.max(bytes, size))
    const page = { bytes: memory, start: 0, end: 0, first: revision, shared: false }
    this.#pages.push(page)
    return page
  }

  /** The number of the page that holds `revision`. */
  #pageOf(revision: number): number {
    let low = 0
    let high = this.#pages.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#pages[middle] as Page).first <= revision) low = middle + 1
      else high = middle
    }
    return Math.max(low - 1, 0)
  }
}

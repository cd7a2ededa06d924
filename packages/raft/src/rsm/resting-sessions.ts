/**
 * Sessions that nobody has used for a while, as bytes: a hundred thousand clients that each wrote once shall not cost a
 * hundred thousand objects. They lie in pages, in the order of last use; where one was taken out there is a hole until the page has more
 * holes than sessions.
 */
import { ByteReader, ByteWriter, ProtocolError } from '@lab/rpc'
import type { ClientKey } from './envelope.ts'
import { lastTimeAt, readSession, skipSession, writeSession, type Session } from './session.ts'

/** A session with many replies has a page of its own, as large as need be. */
const PAGE_BYTES = 64 * 1024

interface Page {
  bytes: Uint8Array
  /** Sessions and holes are in [start, end). */
  start: number
  end: number
  /** Bytes of sessions. */
  live: number
}

export class RestingSessions {
  /** Where each begins: the number of its page, from the first there ever was, times `PAGE_BYTES`, and how far in. */
  readonly #places = new Map<ClientKey, number>()
  /** The oldest first. */
  readonly #pages: Page[] = []
  /** The number of `#pages[0]`. */
  #firstPage = 0
  readonly #scratch = new ByteWriter(256)

  get size(): number {
    return this.#places.size
  }

  /** Puts one behind all others: it was used last. It must not be here already. */
  add(session: Session): void {
    this.#scratch.reset()
    writeSession(this.#scratch, session)
    const bytes = this.#scratch.view()
    let page = this.#pages.at(-1)
    if (page === undefined || page.end + bytes.length > page.bytes.length) {
      page = { bytes: new Uint8Array(Math.max(PAGE_BYTES, bytes.length)), start: 0, end: 0, live: 0 }
      this.#pages.push(page)
      this.#tidy(this.#pages.length - 2)
    }
    page.bytes.set(bytes, page.end)
    this.#places.set(session.key, (this.#firstPage + this.#pages.length - 1) * PAGE_BYTES + page.end)
    page.end += bytes.length
    page.live += bytes.length
  }

  /** Puts the next `count` sessions of `bytes` behind all others. @throws {ProtocolError} when they are no sessions, or two of one client */
  load(reader: ByteReader, bytes: Uint8Array, count: number): void {
    for (let left = count; left > 0;) {
      const begin = reader.position
      const base = (this.#firstPage + this.#pages.length) * PAGE_BYTES
      // As many as fill a page; one at least.
      for (; left > 0 && reader.position - begin < PAGE_BYTES; left--) {
        const place = base + reader.position - begin
        const key = skipSession(reader)
        if (this.#places.has(key)) throw new ProtocolError('a client with two sessions')
        this.#places.set(key, place)
      }
      const page = bytes.slice(begin, reader.position)
      this.#pages.push({ bytes: page, start: 0, end: page.length, live: page.length })
    }
  }

  /** Takes one out, to be used. @returns undefined when it is not here */
  take(key: ClientKey): Session | undefined {
    const place = this.#places.get(key)
    if (place === undefined) return undefined
    const number = Math.floor(place / PAGE_BYTES) - this.#firstPage
    const page = this.#pages[number] as Page
    const reader = new ByteReader(page.bytes, place % PAGE_BYTES, page.end)
    const session = readSession(reader)
    this.#places.delete(key)
    page.live -= reader.position - (place % PAGE_BYTES)
    this.#tidy(number)
    return session
  }

  /** The one that was used longest ago. */
  oldest(): { readonly key: ClientKey; readonly lastTime: number } | undefined {
    for (const [number, page] of this.#pages.entries())
      for (const [start, , key] of this.#liveIn(number)) {
        page.start = start // Whoever asks for the oldest again shall not go through the same holes.
        return { key, lastTime: lastTimeAt(page.bytes, start) }
      }
    return undefined
  }

  /** Copies of all, in the order of last use. */
  *sessions(): Generator<Session, void, undefined> {
    for (const [number, page] of this.#pages.entries())
      for (const [start, end] of this.#liveIn(number))
        yield readSession(new ByteReader(page.bytes, start, end))
  }

  /** All, in the order of last use, as {@link writeSession} would write each. */
  write(to: ByteWriter): void {
    for (const [number, { bytes, start, end, live }] of this.#pages.entries())
      if (live === end - start) to.raw(bytes.subarray(start, end))
      else for (const [from, next] of this.#liveIn(number)) to.raw(bytes.subarray(from, next))
  }

  /** Closes the holes of a page when it has more of them than sessions: each byte is moved for one that was freed. */
  #tidy(number: number): void {
    const page = this.#pages[number]
    if (page === undefined || 2 * page.live >= page.end - page.start) return
    if (number === this.#pages.length - 1) {
      // It is still being filled: a smaller one would only have to be made larger again.
      if (page.live === 0) page.start = page.end = 0
      return
    }
    const kept = new Uint8Array(page.live)
    let end = 0
    for (const [start, next, key] of this.#liveIn(number)) {
      kept.set(page.bytes.subarray(start, next), end)
      this.#places.set(key, (this.#firstPage + number) * PAGE_BYTES + end)
      end += next - start
    }
    page.bytes = kept
    page.start = 0
    page.end = end
    while (this.#pages.length > 1 && this.#pages[0]?.live === 0) {
      this.#pages.shift()
      this.#firstPage++
    }
  }

  *#liveIn(number: number): Generator<readonly [number, number, ClientKey], void, undefined> {
    const page = this.#pages[number] as Page
    const base = (this.#firstPage + number) * PAGE_BYTES
    for (let start = page.start; start < page.end;) {
      const reader = new ByteReader(page.bytes, start, page.end)
      const key = skipSession(reader)
      if (this.#places.get(key) === base + start) yield [start, reader.position, key]
      start = reader.position
    }
  }
}

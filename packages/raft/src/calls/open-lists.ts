/**
 * What is sent to one server in one turn of the event loop leaves together:
 *
 *     Sending ─┐
 *     Sending ─┼─▶ OpenLists ── end of the turn ─▶ one call ─▶ its answers ─▶ each Sending
 *     Sending ─┘
 *
 * A promise, a deadline and a message for each would cost more than what the server does for it. Nobody waits for company: what has
 * the turn to itself leaves alone, as soon.
 */
import { onAbort, type Milliseconds } from '@lab/rpc'
import { RaftError } from '../errors.ts'
import { cancelled } from './bounded.ts'
import { ITEM_HEAD_BYTES, LIST_BYTES_MAX, LIST_HEAD_BYTES, LIST_ITEMS_MAX, readAnswers } from './list.ts'
import { decodeAttempt, fromRpcError } from './refusal.ts'
import type { Sending } from './sending.ts'

export interface SentList {
  /** What all items share: see services.ts. */
  readonly head: Uint8Array
  readonly items: readonly Uint8Array[]
}

export interface ListCallOptions {
  readonly timeout: Milliseconds
  readonly onPart: (answers: Uint8Array) => void
}

/** What lists of one kind are put to. */
export interface ListTarget {
  /** The largest call that the server takes, in bytes. */
  bytesMax(): number
  /** Puts `list` to it: `head`, then the items. `onPart` gets answers that come ahead of the others. */
  call(list: SentList, options: ListCallOptions): Promise<Uint8Array>
  /** An item was answered. */
  answered(): void
  /** One, or all, were refused. @returns whether the refusal leads to another server that can be asked at once */
  refused(error: RaftError): boolean
  /** The call itself failed. */
  failed(error: RaftError): void
  /** Whether what an answer leaves out is to be asked again: it changes nothing. */
  readonly repeats: boolean
}

/** The lists of this turn. */
export class OpenLists {
  #open: List[] = []

  /** Puts `sending` on the list for `target`, which leaves when this turn ends. @param head the very same for all of one list */
  add(target: ListTarget, head: Uint8Array, sending: Sending): void {
    const at = this.#open.findIndex((list) => list.isFor(target, head, sending.timeout))
    let list = this.#open[at]
    if (list === undefined) {
      if (this.#open.length === 0) void Promise.resolve().then(this.#leave)
      list = new List(target, head, sending.timeout, this)
      this.#open.push(list)
    } else if (!list.hasRoom(sending.body.length)) {
      list.leave()
      list = new List(target, head, sending.timeout, this)
      this.#open[at] = list
    }
    list.add(sending)
  }

  readonly #leave = (): void => {
    const all = this.#open
    this.#open = []
    for (const list of all) list.leave()
  }
}

class List {
  readonly #target: ListTarget
  readonly #head: Uint8Array
  readonly #timeout: Milliseconds
  readonly #lists: OpenLists
  /** By place; null for one that has been told how it ended. */
  readonly #sendings: (Sending | null)[] = []
  /** For those of them that can be called off. */
  #stopListening: (() => void)[] = []
  #bytes = LIST_HEAD_BYTES
  #hasLeft = false
  #isAnswered = false

  constructor(target: ListTarget, head: Uint8Array, timeout: Milliseconds, lists: OpenLists) {
    this.#target = target
    this.#head = head
    this.#timeout = timeout
    this.#lists = lists
  }

  /** Those of one list wait equally long. */
  isFor(target: ListTarget, head: Uint8Array, timeout: Milliseconds): boolean {
    return this.#target === target && this.#head === head && this.#timeout === timeout
  }

  hasRoom(bytes: number): boolean {
    const most = Math.min(LIST_BYTES_MAX, this.#target.bytesMax())
    return this.#sendings.length < LIST_ITEMS_MAX && this.#bytes + bytes + ITEM_HEAD_BYTES <= most
  }

  add(sending: Sending): void {
    this.#bytes += sending.body.length + ITEM_HEAD_BYTES
    this.#sendings.push(sending)
    if (sending.signal !== undefined) this.#listen(sending, sending.signal)
  }

  /** The turn is over, or the list full. */
  leave(): void {
    this.#hasLeft = true
    const sendings = this.#sendings
    // Who was called off before this needs no place.
    for (let at = sendings.length - 1; at >= 0; at--) if (sendings[at] === null) sendings.splice(at, 1)
    if (sendings.length === 0) return
    const items = sendings.map((sending) => (sending as Sending).body)
    const options = { timeout: this.#timeout, onPart: this.#tellAll }
    this.#target.call({ head: this.#head, items }, options).then(this.#ended, this.#failed)
  }

  #listen(sending: Sending, signal: AbortSignal): void {
    const off = onAbort(signal, () => {
      // What comes of it at the server concerns nobody any more.
      const told = this.#take(this.#sendings.indexOf(sending))
      told?.failed(cancelled(signal, this.#hasLeft ? 'unknown' : 'not-applied'), false)
    })
    this.#stopListening.push(off)
  }

  readonly #ended = (answers: Uint8Array): void => {
    try {
      this.#tellAll(answers)
    } catch (thrown) {
      this.#failed(thrown)
      return
    }
    // A server that answers nothing at all would be asked for ever.
    const again = this.#target.repeats && this.#isAnswered
    this.#end((sending) => {
      if (again) this.#lists.add(this.#target, this.#head, sending)
      else sending.failed(leftOut(), false)
    })
  }

  /** @throws {ProtocolError} */
  readonly #tellAll = (answers: Uint8Array): void => {
    if (readAnswers(answers, this.#sendings.length, this.#tell)) return
    const attempt = decodeAttempt(answers)
    if (attempt.ok) return
    const { error } = attempt
    const redirected = this.#target.refused(error)
    this.#end((sending) => sending.failed(error, redirected))
  }

  readonly #tell = (place: number, answer: Uint8Array): void => {
    this.#isAnswered = true
    const sending = this.#take(place)
    if (sending === null) return
    if (answer[0] !== 0) {
      this.#target.answered()
      sending.answered(answer)
      return
    }
    const attempt = decodeAttempt(answer)
    if (!attempt.ok) sending.failed(attempt.error, this.#target.refused(attempt.error))
  }

  readonly #failed = (thrown: unknown): void => {
    const error = fromRpcError(thrown)
    this.#target.failed(error)
    this.#end((sending) => sending.failed(error, false))
  }

  /** Tells all that have not been told. */
  #end(tell: (sending: Sending) => void): void {
    for (const off of this.#stopListening) off()
    this.#stopListening = []
    for (let place = 0; place < this.#sendings.length; place++) {
      const sending = this.#take(place)
      if (sending !== null) tell(sending)
    }
  }

  #take(place: number): Sending | null {
    const sending = this.#sendings[place] ?? null
    if (sending !== null) this.#sendings[place] = null
    return sending
  }
}

function leftOut(): RaftError {
  return new RaftError('UNAVAILABLE', 'the server answered a list, and left this out', { outcome: 'unknown' })
}

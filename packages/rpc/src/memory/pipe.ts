import type { Clock, Milliseconds } from '../clock.ts'
import { RpcError } from '../errors.ts'
import { messageId } from '../message-id.ts'
import { Queue } from '../queue.ts'
import type { Random } from '../random.ts'
import type { TraceSink } from '../trace.ts'
import type { Carrier, MemoryChannel, Parcel } from './channel.ts'
import type { LinkConditions } from './conditions.ts'
import { drawDelay, type Courier, type Link } from './link.ts'
import type { Rules } from './rules.ts'
import type { Slab } from './slab.ts'

/** What all pipes of a network share. */
export interface Plumbing {
  readonly clock: Clock
  readonly random: Random
  readonly trace: TraceSink | undefined
  readonly courier: Courier
  readonly rules: Rules
  readonly slab: Slab
  /** Those that are open, in the order in which they were laid. */
  readonly pipes: Set<Pipe>
}

/** The last thing that an end sends. */
interface Close {
  readonly error: RpcError | undefined
}

export interface PipeOptions {
  readonly plumbing: Plumbing
  readonly from: MemoryChannel
  readonly to: MemoryChannel
  readonly link: Link
  /** The other direction. */
  readonly back: Link
}

/** One direction of a channel, over the link between two nodes. */
export class Pipe implements Carrier {
  readonly from: MemoryChannel
  readonly #to: MemoryChannel
  readonly #link: Link
  readonly #back: Link
  readonly #plumbing: Plumbing
  #lastArrival: Milliseconds = 0
  /** Under way, in order. */
  readonly #queue = new Queue<Parcel | Close>()
  #isOpen = true
  /** Of the channel; itself until both are there. */
  #reverse: Pipe = this

  constructor({ plumbing, from, to, link, back }: PipeOptions) {
    this.#plumbing = plumbing
    this.from = from
    this.#to = to
    this.#link = link
    this.#back = back
    from.attach(this)
    plumbing.pipes.add(this)
  }

  /** Both directions of the channel that `near` dialled. */
  static pair({ from: near, to: far, link, back, plumbing }: PipeOptions): void {
    const there = new Pipe({ plumbing, from: near, to: far, link, back })
    const here = new Pipe({ plumbing, from: far, to: near, link: back, back: link })
    there.#reverse = here
    here.#reverse = there
  }

  carry(message: Uint8Array, sequence: number): void {
    const { from } = this
    if (!this.#isOpen) {
      from.taken(message.length)
      return
    }
    const link = this.#link
    const { random, slab } = this.#plumbing
    link.sent++
    link.bytesSent += message.length
    const conditions = this.#conditions()
    if (link.isCut) this.#drop({ message, sequence, from }, 'cut')
    else if (conditions.lossRate > 0 && random.next() < conditions.lossRate)
      this.#drop({ message, sequence, from }, 'lost')
    else {
      this.#deliver(conditions, { message: slab.copyOf(message), sequence, from })
      if (conditions.duplicationRate > 0 && random.next() < conditions.duplicationRate) {
        this.#note('note', sequence, 'duplicated')
        this.#deliver(conditions, { message: slab.copyOf(message), sequence, from: null })
      }
    }
  }

  carryClose(error: Error | undefined): void {
    if (!this.#isOpen) return
    this.#shut()
    const seen =
      error === undefined
        ? undefined
        : new RpcError('CLOSED', `the connection to ${this.#to.remoteAddress} broke: ${error.message}`)
    // In order even where messages are not: what was sent before the close must be able to arrive.
    this.#deliver({ ...this.#conditions(), reordering: false }, { error: seen })
  }

  /** Nothing is sent this way any more. */
  #shut(): void {
    this.#isOpen = false
    this.#plumbing.pipes.delete(this)
  }

  #conditions(): LinkConditions {
    return this.#plumbing.rules.of(this.#link, this.from.isDialler)
  }

  /** Brings it after the time that the link takes; in order unless the conditions allow otherwise. */
  #deliver(conditions: LinkConditions, what: Parcel | Close): void {
    const { clock, random, courier } = this.#plumbing
    const now = clock.now()
    const drawn = now + drawDelay(conditions, random)
    const arrival = conditions.reordering ? drawn : Math.max(drawn, this.#lastArrival)
    this.#lastArrival = Math.max(arrival, this.#lastArrival)
    if (conditions.reordering) {
      courier.after(arrival - now, () => {
        this.#bring(what)
      })
      return
    }
    this.#queue.push(what)
    courier.after(arrival - now, this.#bringNext)
  }

  /** Whichever timer fires first brings the oldest: timers of a real clock are not exact. */
  readonly #bringNext = (): void => {
    const next = this.#queue.shift()
    if (next !== undefined) this.#bring(next)
  }

  /** Something has come to the end of its pipe. */
  #bring(what: Parcel | Close): void {
    const to = this.#to
    const link = this.#link
    if ('error' in what) {
      if (!link.isCut) to.arriveClose(what.error)
      if (to.isClosed) this.#reverse.#shut()
    } else if (link.isCut) this.#drop(what, 'cut')
    else if (to.isClosed) {
      this.#drop(what, 'nobody there')
      this.#reset()
    } else {
      link.delivered++
      link.bytesDelivered += what.message.length
      to.arrive(what)
    }
  }

  #drop({ message, sequence, from }: Parcel, why: string): void {
    this.#link.dropped++
    this.#note('drop', sequence, why)
    from?.taken(message.length)
  }

  /** As a socket does: who sends to an end that is gone learns it by a reset. */
  #reset(): void {
    if (!this.#isOpen || this.#back.isCut) return
    this.#shut()
    const { from } = this
    const { courier, random } = this.#plumbing
    courier.after(drawDelay(this.#conditions(), random), () => {
      from.arriveClose(new RpcError('CLOSED', `the connection to ${from.remoteAddress} was reset`))
    })
  }

  #note(kind: 'drop' | 'note', sequence: number, why: string): void {
    const { from } = this
    const { to } = this.#link
    const m = messageId(from.id, from.isDialler, sequence)
    this.#plumbing.trace?.({ n: this.#link.from, k: kind, m, to, type: 'message', why })
  }
}

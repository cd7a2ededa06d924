import { ProtocolError } from '../errors.ts'
import { Queue } from '../queue.ts'
import type { Channel } from '../transport.ts'

/** `drained` waits until no more than this is buffered. */
const LOW_WATER_BYTES = 64 * 1024

/** What a channel asks of the way to its other end. */
export interface Carrier {
  /** Carries a copy of a message; the channel's `taken` is called once, when it has been delivered or is lost. */
  carry(message: Uint8Array, sequence: number): void
  /** Tells the other end, after all that was sent before, that this one is gone. */
  carryClose(error: Error | undefined): void
}

/** A message on its way. */
export interface Parcel {
  readonly message: Uint8Array
  readonly sequence: number
  /** The end that sent it; null when it comes a second time. */
  readonly from: MemoryChannel | null
}

/** One end of a channel within the process. Messages are copied when sent, as on a socket. */
export class MemoryChannel implements Channel {
  readonly id: string
  readonly remoteAddress: string
  readonly closed: Promise<{ readonly error: Error | undefined }>
  /** The node at this end, and whether it dialled. */
  readonly node: string
  readonly isDialler: boolean
  #carrier: Carrier | null = null
  #resolveClosed: (end: { readonly error: Error | undefined }) => void = () => undefined
  #onMessage: ((message: Uint8Array) => void) | undefined
  readonly #inbox = new Queue<Parcel>()
  #isPaused = false
  #isClosed = false
  #isEnding = false
  #sent = 0
  #bufferedBytes = 0
  #drainWaiters: (() => void)[] = []
  #sequence = 0
  #messageBytesMax = Infinity

  constructor(options: {
    readonly id: string
    readonly remoteAddress: string
    readonly node: string
    readonly isDialler: boolean
  }) {
    this.id = options.id
    this.remoteAddress = options.remoteAddress
    this.node = options.node
    this.isDialler = options.isDialler
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  /** This is the way to the other end. For the network, before the channel is given to anybody. */
  attach(carrier: Carrier): void {
    this.#carrier = carrier
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  get sequence(): number {
    return this.#sequence
  }

  send(message: Uint8Array): void {
    if (this.#isClosed) return
    this.#bufferedBytes += message.length
    this.#carrier?.carry(message, ++this.#sent)
  }

  /** A message of so many bytes is not in the network any more. */
  taken(bytes: number): void {
    this.#bufferedBytes -= bytes
    if (this.#drainWaiters.length > 0 && this.#bufferedBytes <= LOW_WATER_BYTES) this.#wakeDrainWaiters()
  }

  drained(): Promise<void> {
    if (this.#isClosed || this.#bufferedBytes <= LOW_WATER_BYTES) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  receive(onMessage: (message: Uint8Array) => void): void {
    this.#onMessage = onMessage
    this.resume()
  }

  limitMessages(bytesMax: number): void {
    this.#messageBytesMax = bytesMax
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    // As with a socket, nothing arrives within the call.
    void Promise.resolve().then(() => {
      this.#readInbox()
    })
  }

  close(error?: Error): void {
    if (this.#isClosed) return
    this.#end(error)
    this.#carrier?.carryClose(error)
  }

  /** A message has come through the network. */
  arrive(parcel: Parcel): void {
    // Mostly nothing waits: what comes is read.
    if (this.#inbox.length === 0 && this.#isReading) this.#read(parcel)
    else {
      this.#inbox.push(parcel)
      this.#readInbox()
    }
  }

  /** The other end has gone: in order, after what it sent before has been read; with an error, at once. */
  arriveClose(error: Error | undefined): void {
    if (this.#isClosed) return
    if (error !== undefined || this.#inbox.length === 0) this.#end(error)
    else this.#isEnding = true
  }

  get #isReading(): boolean {
    return !this.#isClosed && !this.#isPaused && this.#onMessage !== undefined
  }

  #readInbox(): void {
    while (this.#isReading) {
      const next = this.#inbox.shift()
      if (next === undefined) break
      this.#read(next)
    }
    if (this.#isEnding && this.#inbox.length === 0) this.#end(undefined)
  }

  #read({ message, sequence, from }: Parcel): void {
    from?.taken(message.length)
    this.#sequence = sequence
    if (message.length <= this.#messageBytesMax) this.#onMessage?.(message)
    else
      this.close(new ProtocolError(`a message of ${String(message.length)} bytes, more than the limit here`))
  }

  #end(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { from, message } of this.#inbox) from?.taken(message.length)
    this.#inbox.clear()
    this.#wakeDrainWaiters()
    this.#resolveClosed({ error })
  }

  #wakeDrainWaiters(): void {
    const waiters = this.#drainWaiters
    this.#drainWaiters = []
    for (const wake of waiters) wake()
  }
}

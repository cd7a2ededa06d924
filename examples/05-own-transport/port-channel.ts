// A channel carries whole messages in order, says how much of what it was given is still under way, and how it ended.
import type { MessagePort } from 'node:worker_threads'
import { RpcError, type Channel } from '@lab/rpc'

/** Through the port go the messages of one turn, the number of bytes that the receiver has taken, or the end. */
type Packet = Uint8Array[] | number | { readonly error: string | null }

const LOW_BYTES = 64 * 1024

export class PortChannel implements Channel {
  readonly remoteAddress: string
  readonly closed: Promise<{ readonly error: Error | undefined }>
  bufferedBytes = 0
  readonly #port: MessagePort
  #outbox: Uint8Array[] = []
  #inbox: Uint8Array[] = []
  #onMessage: ((message: Uint8Array) => void) | undefined
  #isPaused = false
  #isClosed = false
  /** How it ended, once the port has closed: what has arrived before is still to be read. */
  #end: { readonly error: Error | undefined } | undefined
  #resolveClosed: (end: { readonly error: Error | undefined }) => void = () => undefined
  #waiting: (() => void)[] = []

  constructor(port: MessagePort, remoteAddress: string) {
    this.remoteAddress = remoteAddress
    this.#port = port
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
    let farewell: Error | undefined = new RpcError('CLOSED', `the thread of ${remoteAddress} is gone`)
    port.on('message', (packet: Packet) => {
      if (typeof packet === 'number') this.#taken(packet)
      else if (Array.isArray(packet)) this.#inbox.push(...packet)
      else farewell = packet.error === null ? undefined : new RpcError('CLOSED', packet.error)
      this.#read()
    })
    port.on('close', () => {
      this.#end = { error: farewell }
      this.#read()
    })
  }

  send(message: Uint8Array): void {
    if (this.#isClosed) return
    // The first message of a turn orders the departure at its end: a packet costs more than what is in it.
    if (this.#outbox.length === 0) setImmediate(() => this.#post())
    this.#outbox.push(message.slice())
    this.bufferedBytes += message.length
  }

  async drained(): Promise<void> {
    while (this.bufferedBytes > LOW_BYTES && !this.#isClosed)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  receive(onMessage: (message: Uint8Array) => void): void {
    this.#onMessage = onMessage
    queueMicrotask(() => this.#read())
  }

  pause(): void {
    this.#isPaused = true // the sender sees its bytes stay where they are
  }

  resume(): void {
    this.#isPaused = false
    queueMicrotask(() => this.#read())
  }

  close(error?: Error): void {
    if (this.#isClosed) return
    if (error === undefined) this.#post()
    this.#port.postMessage({ error: error?.message ?? null } satisfies Packet)
    this.#port.close()
    this.#finish({ error })
  }

  #post(): void {
    if (this.#isClosed || this.#outbox.length === 0) return
    const buffers = this.#outbox.map(({ buffer }) => buffer as ArrayBuffer)
    this.#port.postMessage(this.#outbox satisfies Packet, buffers) // moved, not copied
    this.#outbox = []
  }

  #read(): void {
    let takenBytes = 0
    while (this.#onMessage !== undefined && !this.#isPaused && !this.#isClosed) {
      const message = this.#inbox.shift()
      if (message === undefined) break
      takenBytes += message.length
      this.#onMessage(message)
    }
    if (this.#isClosed) return
    if (takenBytes > 0) this.#port.postMessage(takenBytes satisfies Packet)
    if (this.#end !== undefined && (this.#inbox.length === 0 || this.#end.error !== undefined))
      this.#finish(this.#end)
  }

  #taken(bytes: number): void {
    this.bufferedBytes -= bytes
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #finish(end: { readonly error: Error | undefined }): void {
    this.#isClosed = true
    this.#inbox = []
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#resolveClosed(end)
  }
}

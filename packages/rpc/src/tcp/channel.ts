import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { RpcError, toError } from '../errors.ts'
import { FrameDecoder } from '../frame.ts'
import type { Certificate, Channel } from '../transport.ts'
import { EAGER_BYTES, Outbox, type ChunkPool, type FilledChunk } from '../outbox.ts'
import { ProgressWatch } from '../progress-watch.ts'
import { certificateError } from '../tls/certificate.ts'

/** `drained` waits until no more than this is buffered. */
const LOW_WATER_BYTES = 64 * 1024
/** An orderly close gives up on a peer that does not take what is queued. */
const CLOSE_MS = 10_000
const NOTHING: readonly FilledChunk[] = []

export interface TcpChannelOptions {
  readonly pool: ChunkPool
  readonly messageBytesMax: number
  readonly frameProgressMs: number
}

/** The other end of a socket. */
export interface TcpEnd {
  readonly remoteAddress: string
  readonly certificate?: Certificate | undefined
}

/** Frames over one connected socket. The messages of one turn of the event loop leave in one write, or in a few large ones. */
export class TcpChannel implements Channel {
  readonly remoteAddress: string
  readonly certificate: Certificate | undefined
  readonly closed: Promise<{ readonly error: Error | undefined }>
  readonly #socket: Socket
  readonly #outbox: Outbox
  readonly #decoder: FrameDecoder
  readonly #progress: ProgressWatch
  /** Chunks that the socket has taken and the kernel perhaps not. */
  #writing = NOTHING
  #flushIsDue = false
  #isClosing = false
  #error: Error | undefined
  #drainWaiters: (() => void)[] = []

  constructor(socket: Socket, { remoteAddress, certificate }: TcpEnd, options: TcpChannelOptions) {
    this.remoteAddress = remoteAddress
    this.certificate = certificate
    this.#socket = socket
    this.#outbox = new Outbox(options.pool)
    this.#decoder = new FrameDecoder(options.messageBytesMax)
    this.#progress = new ProgressWatch(this.#decoder, options.frameProgressMs, () => {
      const message = `${remoteAddress} began a message and did not go on with it`
      this.close(new RpcError('TIMEOUT', message))
    })
    this.closed = new Promise((resolve) => {
      socket.on('error', (error) => {
        this.#error ??=
          certificateError(error, remoteAddress) ??
          new RpcError('CLOSED', `the connection to ${remoteAddress} broke: ${error.message}`, {
            cause: error,
          })
      })
      socket.on('end', () => {
        // The other end has closed in order: it reads no more.
        this.#stop()
      })
      socket.on('close', () => {
        this.#stop()
        resolve({ error: this.#error })
      })
    })
  }

  send(message: Uint8Array): void {
    if (this.#isClosing) return
    this.#outbox.add(message)
    if (this.#outbox.bytes >= EAGER_BYTES) this.#flush()
    if (this.#flushIsDue) return
    this.#flushIsDue = true
    setImmediate(this.#onTurn)
  }

  get bufferedBytes(): number {
    return this.#outbox.bytes + this.#socket.writableLength
  }

  drained(): Promise<void> {
    if (this.#isClosing || this.bufferedBytes <= LOW_WATER_BYTES) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  receive(onMessage: (message: Uint8Array) => void): void {
    this.#socket.on('data', (chunk) => {
      try {
        this.#decoder.push(chunk, onMessage)
      } catch (thrown) {
        this.close(toError(thrown))
      }
      if (this.#decoder.partialBytes > 0) this.#progress.start()
    })
  }

  limitMessages(bytesMax: number): void {
    this.#decoder.messageBytesMax = bytesMax
  }

  pause(): void {
    this.#progress.suspend()
    this.#socket.pause()
  }

  resume(): void {
    this.#progress.resume()
    this.#socket.resume()
  }

  close(error?: Error): void {
    if (this.#isClosing) {
      // A second call may only hurry the first one.
      if (error !== undefined) this.#socket.destroy()
      return
    }
    this.#isClosing = true
    this.#decoder.stop()
    this.#wakeDrainWaiters()
    if (error !== undefined) {
      this.#error ??= error
      this.#outbox.clear()
      this.#reset()
      return
    }
    // Reading goes on, into nothing, as only so the other end's close is seen.
    this.#socket.resume()
    this.#flush()
    const timer = setTimeout(() => this.#socket.destroy(), CLOSE_MS).unref()
    this.#socket.once('close', () => {
      clearTimeout(timer)
    })
  }

  readonly #onTurn = (): void => {
    this.#flushIsDue = false
    this.#flush()
  }

  #flush(): void {
    if (this.#writing !== NOTHING || this.#socket.destroyed) return
    if (this.#outbox.bytes > 0) this.#write(this.#outbox.take())
    else if (this.#isClosing) this.#socket.end()
  }

  #write(chunks: readonly FilledChunk[]): void {
    this.#writing = chunks
    const last = chunks.length - 1
    if (last > 0) this.#socket.cork()
    chunks.forEach(({ chunk, length }, i) => {
      this.#socket.write(chunk.subarray(0, length), i === last ? this.#onWritten : undefined)
    })
    if (last > 0) this.#socket.uncork()
  }

  readonly #onWritten = (): void => {
    this.#outbox.release(this.#writing)
    this.#writing = NOTHING
    if (this.#outbox.bytes > 0 || this.#isClosing) this.#flush()
    if (this.#drainWaiters.length > 0 && this.bufferedBytes <= LOW_WATER_BYTES) this.#wakeDrainWaiters()
  }

  /** The other end is not to wait for more. Below TLS there is no way to say so. */
  #reset(): void {
    if (this.#socket instanceof TLSSocket) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  #stop(): void {
    this.#isClosing = true
    this.#decoder.stop()
    this.#progress.stop()
    this.#outbox.clear()
    this.#wakeDrainWaiters()
  }

  #wakeDrainWaiters(): void {
    const waiters = this.#drainWaiters
    this.#drainWaiters = []
    for (const wake of waiters) wake()
  }
}

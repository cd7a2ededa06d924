import { systemClock, type Timer } from '../clock.ts'
import { ProtocolError, RpcError, toError } from '../errors.ts'
import { FrameDecoder } from '../frame.ts'
import { EAGER_BYTES, Outbox, type ChunkPool, type FilledChunk } from '../outbox.ts'
import { ProgressWatch } from '../progress-watch.ts'
import type { Certificate, Channel } from '../transport.ts'
import { CLOSE, closeError, closeReason } from './close-codes.ts'
import type { FrameEvents, FrameSocket } from './frame-socket.ts'
import { endOfTurn } from './turn-end.ts'

/** A WebSocket frame carries no more; a longer message goes on in the next. What an unknown peer can make us keep. */
export const FRAME_BYTES_MAX = 64 * 1024
/** `drained` waits until no more than this is buffered. */
const LOW_WATER_BYTES = 64 * 1024
/** An orderly close gives up on a peer that made no progress with it for so long. */
const CLOSE_PROGRESS_MS = 2000
const NOTHING: readonly FilledChunk[] = []

export interface WebSocketChannelOptions {
  readonly pool: ChunkPool
  readonly messageBytesMax: number
  readonly frameProgressMs: number
}

export interface RemoteEnd {
  readonly remoteAddress: string
  readonly origin?: string | undefined
  readonly certificate?: Certificate | undefined
}

/**
 * Messages over one WebSocket. Its binary frames are taken as one stream of bytes, in which each message follows its
 * length: all messages of one turn of the event loop share a frame, and only a full frame begins the next.
 */
export class WebSocketChannel implements Channel, FrameEvents {
  readonly remoteAddress: string
  readonly origin: string | undefined
  readonly certificate: Certificate | undefined
  readonly closed: Promise<{ readonly error: Error | undefined }>
  readonly #socket: FrameSocket
  readonly #outbox: Outbox
  readonly #decoder: FrameDecoder
  readonly #progress: ProgressWatch
  readonly #resolveClosed: (end: { readonly error: Error | undefined }) => void
  /** Chunks that the socket has and the network perhaps not. */
  #writing = NOTHING
  #flushIsDue = false
  #isClosing = false
  #isClosed = false
  #onMessage: ((message: Uint8Array) => void) | undefined
  /** Frames that came before `receive` was called, in the same turn. */
  #early: Uint8Array[] = []
  #drainWaiters: (() => void)[] = []
  #closeTimer: Timer | undefined

  constructor(socket: FrameSocket, remote: RemoteEnd, options: WebSocketChannelOptions) {
    this.remoteAddress = remote.remoteAddress
    this.origin = remote.origin
    this.certificate = remote.certificate
    this.#socket = socket
    this.#outbox = new Outbox(options.pool)
    this.#decoder = new FrameDecoder(options.messageBytesMax)
    this.#progress = new ProgressWatch(this.#decoder, options.frameProgressMs, () => {
      const message = `${this.remoteAddress} began a message and did not go on with it`
      this.close(new RpcError('TIMEOUT', message))
    })
    let resolveClosed: (end: { readonly error: Error | undefined }) => void = () => {}
    this.closed = new Promise((resolve) => (resolveClosed = resolve))
    this.#resolveClosed = resolveClosed
    socket.listen(this)
  }

  send(message: Uint8Array): void {
    if (this.#isClosing) return
    this.#outbox.add(message)
    if (this.#outbox.bytes >= EAGER_BYTES) this.#flush()
    if (this.#flushIsDue) return
    this.#flushIsDue = true
    endOfTurn(this.#onTurnEnd)
  }

  get bufferedBytes(): number {
    return this.#outbox.bytes + this.#socket.bufferedBytes
  }

  drained(): Promise<void> {
    if (this.#isClosing || this.bufferedBytes <= LOW_WATER_BYTES) return Promise.resolve()
    return new Promise((resolve) => this.#drainWaiters.push(resolve))
  }

  receive(onMessage: (message: Uint8Array) => void): void {
    this.#onMessage = onMessage
    if (this.#early.length > 0) queueMicrotask(this.#readEarly)
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
    if (error !== undefined) {
      this.#abort(error, CLOSE.internalError)
      return
    }
    if (this.#isClosing) return
    this.#isClosing = true
    this.#decoder.stop()
    this.#wakeDrainWaiters()
    // Reading goes on, into nothing, as only so the other end's answer is seen.
    this.#socket.resume()
    this.#flush()
    this.#watchClosing(this.bufferedBytes)
  }

  binary(frame: Uint8Array): void {
    if (this.#onMessage === undefined || this.#early.length > 0) this.#early.push(frame)
    else this.#read(frame, this.#onMessage)
  }

  text(): void {
    const error = new ProtocolError(`a text frame from ${this.remoteAddress}: only binary ones make sense`)
    this.#abort(error, CLOSE.unsupportedData)
  }

  ended(code: number, reason: string): void {
    this.#end(closeError(this.remoteAddress, code, reason))
  }

  failed(error: RpcError): void {
    this.#end(error)
  }

  readonly #readEarly = (): void => {
    const early = this.#early
    this.#early = []
    for (const frame of early) this.binary(frame)
  }

  #read(frame: Uint8Array, onMessage: (message: Uint8Array) => void): void {
    try {
      this.#decoder.push(frame, onMessage)
    } catch (thrown) {
      this.#abort(toError(thrown), CLOSE.protocolError)
    }
    if (this.#decoder.partialBytes > 0) this.#progress.start()
  }

  readonly #onTurnEnd = (): void => {
    this.#flushIsDue = false
    this.#flush()
  }

  #flush(): void {
    if (this.#writing !== NOTHING || this.#isClosed) return
    if (this.#outbox.bytes > 0) this.#write(this.#outbox.take())
    else if (this.#isClosing) this.#socket.close(CLOSE.normal, '')
  }

  #write(chunks: readonly FilledChunk[]): void {
    this.#writing = chunks
    const frames = chunks.flatMap(framesOf)
    const last = frames.length - 1
    frames.forEach((frame, i) => this.#socket.send(frame, i === last ? this.#onWritten : undefined))
  }

  readonly #onWritten = (): void => {
    this.#outbox.release(this.#writing)
    this.#writing = NOTHING
    if (this.#outbox.bytes > 0 || this.#isClosing) this.#flush()
    if (this.#drainWaiters.length > 0 && this.bufferedBytes <= LOW_WATER_BYTES) this.#wakeDrainWaiters()
  }

  /** Ends at once; the other end is told why if nothing stands in the way. */
  #abort(error: Error, code: number): void {
    if (this.#isClosed) return
    const socket = this.#socket
    this.#end(error)
    if (socket.bufferedBytes > 0) {
      socket.terminate()
      return
    }
    socket.resume()
    socket.close(code, closeReason(error.message))
    systemClock.setTimer(CLOSE_PROGRESS_MS, () => socket.terminate())
  }

  /** Cuts the connection to a peer that neither takes what is queued nor answers our close. */
  #watchClosing(bufferedBefore: number): void {
    this.#closeTimer = systemClock.setTimer(CLOSE_PROGRESS_MS, () => {
      const { bufferedBytes } = this
      if (bufferedBytes < bufferedBefore) {
        this.#watchClosing(bufferedBytes)
        return
      }
      this.#socket.terminate()
      this.#end(new RpcError('CLOSED', `${this.remoteAddress} did not answer the close`))
    })
  }

  #end(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#isClosing = true
    this.#isClosed = true
    this.#closeTimer?.cancel()
    this.#decoder.stop()
    this.#progress.stop()
    this.#outbox.clear()
    this.#early = []
    this.#wakeDrainWaiters()
    this.#resolveClosed({ error })
  }

  #wakeDrainWaiters(): void {
    const waiters = this.#drainWaiters
    this.#drainWaiters = []
    for (const wake of waiters) wake()
  }
}

/** A chunk is a frame, except where a long message made it longer than a frame may be. */
function framesOf({ chunk, length }: FilledChunk): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < length; at += FRAME_BYTES_MAX)
    frames.push(chunk.subarray(at, Math.min(length, at + FRAME_BYTES_MAX)))
  return frames
}

/** The WebSocket of browsers, Deno and Bun as a {@link FrameSocket}. It cannot be paused, and tells nobody when its buffer empties. */
import { systemClock, type Timer } from '../clock.ts'
import { RpcError } from '../errors.ts'
import type { FrameEvents, FrameSocket } from './frame-socket.ts'

/** The part of the standard's WebSocket in use here: Node's own types describe another. */
export interface PageWebSocket {
  binaryType: string
  readonly bufferedAmount: number
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onerror: (() => void) | null
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null
  send(data: Uint8Array): void
  close(code?: number, reason?: string): void
}

const POLL_MS = 10
/** Below this the page takes the next frames. */
const LOW_WATER_BYTES = 64 * 1024
/** What may pile up here while the receiver pauses: the page goes on reading whatever we say. */
const HELD_BYTES_MAX = 64 * 1024 * 1024
/** Pages may close with 1000 or an application's own code, nothing between. */
const NORMAL = 1000
const APPLICATION = 3000

export class PageSocket implements FrameSocket {
  readonly #socket: PageWebSocket
  #events: FrameEvents | undefined
  #paused = false
  #held: Uint8Array[] = []
  #heldBytes = 0
  #poll: Timer | undefined

  /** @param socket open, and given away */
  constructor(socket: PageWebSocket) {
    this.#socket = socket
  }

  listen(events: FrameEvents): void {
    this.#events = events
    const socket = this.#socket
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.#read(new Uint8Array(data), events)
      else events.text()
    }
    socket.onclose = ({ code, reason }) => {
      this.resume()
      this.#poll?.cancel()
      events.ended(code, reason)
    }
  }

  send(frame: Uint8Array, onTaken: (() => void) | undefined): void {
    this.#socket.send(frame) // copies
    if (onTaken === undefined) return
    if (this.#socket.bufferedAmount <= LOW_WATER_BYTES) onTaken()
    else this.#pollUntilTaken(onTaken)
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    const held = this.#held
    this.#held = []
    this.#heldBytes = 0
    for (const frame of held) this.#events?.binary(frame)
  }

  close(code: number, reason: string): void {
    this.#socket.close(code === NORMAL ? code : APPLICATION + (code % 1000), reason)
  }

  terminate(): void {
    this.#socket.close() // the closest that a page has
  }

  #pollUntilTaken(onTaken: () => void): void {
    this.#poll = systemClock.setTimer(POLL_MS, () => {
      if (this.#socket.bufferedAmount <= LOW_WATER_BYTES) onTaken()
      else this.#pollUntilTaken(onTaken)
    })
  }

  #read(frame: Uint8Array, events: FrameEvents): void {
    if (!this.#paused) {
      events.binary(frame)
      return
    }
    this.#held.push(frame)
    this.#heldBytes += frame.length
    if (this.#heldBytes <= HELD_BYTES_MAX) return
    events.failed(new RpcError('SLOW_PEER', 'more came than this end takes'))
    this.#socket.close(APPLICATION, 'more came than this end takes')
  }
}

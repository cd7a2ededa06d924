/**
 * What a channel needs of a WebSocket, be it the package `ws` or the one of the browser:
 *
 *     channel.ts        messages ⇄ binary frames, one a turn
 *     frame-socket.ts   binary frames     ← ws-socket.ts (Node)  page-socket.ts (browsers, Deno, Bun)
 */
import type { RpcError } from '../errors.ts'

/** An open WebSocket that carries binary frames. */
export interface FrameSocket {
  /** Names who hears of what happens. To be called once, in the turn in which the socket opened. */
  listen(events: FrameEvents): void
  /**
   * Sends one binary frame. It and those before it are the socket's until it calls `onTaken`, perhaps within this call:
   * the time to send more.
   */
  send(frame: Uint8Array, onTaken: (() => void) | undefined): void
  /** Bytes that the network has not taken yet. */
  readonly bufferedBytes: number
  /** Stops reading until `resume`. */
  pause(): void
  resume(): void
  /** Starts the closing handshake, behind all that was sent. `reason` is for people. */
  close(code: number, reason: string): void
  /** Lets go of the connection at once. */
  terminate(): void
}

/** What happens to a {@link FrameSocket}. */
export interface FrameEvents {
  binary(frame: Uint8Array): void
  /** A text frame came, which nobody of ours sends. */
  text(): void
  /** The socket has ended by a closing handshake with `code` or, with 1006, without one. */
  ended(code: number, reason: string): void
  /** The socket has failed and is of no use any more; perhaps its connection lingers until the other end has heard why. */
  failed(error: RpcError): void
}

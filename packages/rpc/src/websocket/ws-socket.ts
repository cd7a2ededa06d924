/** The package `ws` as a {@link FrameSocket}; it is loaded when the first connection or listener needs it. */
import type * as Ws from 'ws'
import { systemClock } from '../clock.ts'
import { ProtocolError, RpcError } from '../errors.ts'
import type { FrameEvents, FrameSocket } from './frame-socket.ts'

/** Time for the other end to read why it was refused, before the connection is cut. */
const LINGER_MS = 2000
const BINARY = { binary: true, compress: false } as const

/** @throws {RpcError} `BAD_REQUEST` when the package is not installed */
export async function loadWs(load = (): Promise<typeof Ws> => import('ws')): Promise<typeof Ws> {
  try {
    return await load()
  } catch (cause) {
    throw new RpcError('BAD_REQUEST', 'WebSockets in Node need the package ws: npm i ws', { cause })
  }
}

export class WsSocket implements FrameSocket {
  readonly #socket: Ws.WebSocket

  constructor(socket: Ws.WebSocket) {
    this.#socket = socket
  }

  listen(events: FrameEvents): void {
    const socket = this.#socket
    // With the default `binaryType` a message is one Buffer.
    socket.on('message', (data, isBinary) => {
      if (isBinary) events.binary(data as Buffer)
      else events.text()
    })
    socket.on('error', (error) => {
      events.failed(wsError(error))
      systemClock.setTimer(LINGER_MS, () => socket.terminate())
    })
    socket.on('close', (code, reason) => events.ended(code, reason.toString()))
  }

  send(frame: Uint8Array, onTaken: (() => void) | undefined): void {
    // `ws` calls back when the bytes are with the kernel, and with an error when they never will be.
    this.#socket.send(frame, BINARY, onTaken)
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }
}

/** `ws` marks what the other end did wrong with codes of its own; the rest comes from the system. */
function wsError(error: Error): RpcError {
  const code = 'code' in error ? String(error.code) : ''
  if (code.startsWith('WS_ERR_')) return new ProtocolError(error.message, { cause: error })
  return new RpcError('CLOSED', `the connection broke: ${error.message}`, { cause: error })
}

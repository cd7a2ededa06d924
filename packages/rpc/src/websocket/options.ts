/** What the app says of its WebSockets. */
import { ChunkPool } from '../outbox.ts'
import type { TlsKeys, TlsOptions } from '../tls/options.ts'
import type { WebSocketChannelOptions } from './channel.ts'

/** A server of `node:http` or `node:https`, the app's own; its shape, so that a page's types need no Node. */
export interface HttpServer {
  readonly listening: boolean
  address(): string | null | { readonly address: string; readonly port: number }
  on(event: 'upgrade', listener: (...args: unknown[]) => void): unknown
  off(event: 'upgrade', listener: (...args: unknown[]) => void): unknown
  listenerCount(event: 'upgrade'): number
}

export interface WebSocketOptions {
  /** Listen on the app's HTTP server instead of a port of our own. It is never closed from here, and its other paths are left alone. */
  readonly server?: HttpServer
  /** The path to listen at, by default the address's: `/raft`. */
  readonly path?: string
  /** For `wss://` on a port of our own, and to dial it from Node. A page has what its browser trusts. */
  readonly tls?: TlsOptions | TlsKeys
  /** Longest message that a channel takes before it is told otherwise, in bytes. Default 64 MiB. */
  readonly messageBytesMax?: number
  /** A peer that began a message must send some 4 KiB of it in each such period. Default 10 000. */
  readonly frameProgressMs?: number
  /** How long the HTTP part of a connection may take, on either side. Default 5 000. */
  readonly upgradeMs?: number
}

/** The options with their defaults, and what the channels of one transport share. */
export interface Settings extends WebSocketChannelOptions {
  readonly server: HttpServer | undefined
  readonly path: string | undefined
  readonly upgradeMs: number
}

export function settingsOf(options: WebSocketOptions): Settings {
  return {
    server: options.server,
    path: options.path,
    messageBytesMax: options.messageBytesMax ?? 64 * 1024 * 1024,
    frameProgressMs: options.frameProgressMs ?? 10_000,
    upgradeMs: options.upgradeMs ?? 5_000,
    pool: new ChunkPool(),
  }
}

/**
 * The seam between messages and networks. A transport opens channels to an address and delivers whole binary
 * messages, each at most once, perhaps late, perhaps never; calls, deadlines, retries, limits and authentication
 * are written once above it.
 *
 *     RaftNode, Clerk, your service        typed methods
 *     ── service.ts, client.ts, server.ts  calls by id, deadlines, streams, handshake
 *     ── transport.ts                      whole messages   ← memory/ tcp/ websocket/ or your own
 */

/**
 * Where to connect or listen: a URL such as `tcp://localhost:7001`, `ws://localhost:8080/raft`, `memory://n1`. Public
 * options also take one without a scheme (`localhost:7001`), which means the first scheme of the transport at hand.
 */
export type Address = string

/** Opens and accepts channels. Knows nothing of calls, retries or Raft. Your own passes `transportSuite` (`@lab/rpc/testing`). */
export interface Transport {
  /** URL schemes that it takes, without `://`; the first is assumed for an address that has none. */
  readonly schemes: readonly string[]
  /**
   * Opens a channel to `to`, a complete URL.
   *
   * @throws {RpcError} `UNREACHABLE`, with `executed: 'no'`, when nobody answers before `signal` aborts, or at once when refused
   * @throws {RpcError} `BAD_ADDRESS` when `to` makes no sense
   */
  connect(to: Address, signal: AbortSignal): Promise<Channel>
  /**
   * Accepts channels at `at`, a complete URL. A port of 0 takes a free one: see `Listener.address`.
   *
   * @throws {RpcError} `ADDRESS_IN_USE` when another listener holds `at`
   * @throws {RpcError} `BAD_ADDRESS` when `at` makes no sense
   */
  listen(at: Address, accept: (channel: Channel) => void): Promise<Listener>
}

/** What accepts channels at one address. */
export interface Listener {
  /** The complete URL that a client dials, with the real port. */
  readonly address: Address
  /** Who can reach it, where `address` does not tell: the interface's own address, as `::` for all when an app's HTTP server is joined. */
  readonly boundHost?: string | undefined
  /** Stops accepting. Channels accepted before live on. */
  close(): Promise<void>
}

/** What an end has proven by a certificate of an authority that the other trusts. */
export interface Certificate {
  /** Whom it names: DNS names and the common name. Empty when nothing is proven. */
  readonly names: readonly string[]
  /** Why nothing is proven, if so. */
  readonly problem: string | undefined
}

/** Whole messages between two ends. Sockets: in order, nothing lost until close. The memory network may lose, reorder and, when told, duplicate. */
export interface Channel {
  /** For people and logs, never an identity. */
  readonly remoteAddress: string
  /** What the other end's environment claims about it before any message: a web page's `Origin`. */
  readonly origin?: string | undefined
  /** What the other end has proven. Undefined: it was not asked for a certificate. */
  readonly certificate?: Certificate | undefined
  /** A name of this channel that both ends have without a byte sent: only within one process, for traces. */
  readonly id?: string | undefined
  /** Which of the other end's `send`s, from 1, the message being received was: only where some may be lost or reordered, for traces. */
  readonly sequence?: number | undefined
  /**
   * Queues one message of any length ≥ 0. Never blocks and never throws; after close it does nothing. The bytes are
   * copied or sent before it returns: the caller may reuse them. Messages of one turn of the event loop leave together.
   */
  send(message: Uint8Array): void
  /** Bytes queued here that the network has not taken yet: watch it to hold back. */
  readonly bufferedBytes: number
  /** Resolves when `bufferedBytes` is low again, or the channel is closed. */
  drained(): Promise<void>
  /**
   * Names who receives. To be called once, in the turn in which the channel was obtained. Nothing arrives within the call. `message` belongs to the
   * receiver, and may be a view on a larger buffer: copy what is kept for long. After `closed` nothing more comes.
   */
  receive(onMessage: (message: Uint8Array) => void): void
  /**
   * Refuses longer messages from now on, before it takes memory for them: closes with a `ProtocolError`. A transport that
   * cannot leaves it out; whoever receives checks again.
   */
  limitMessages?(bytesMax: number): void
  /** Stops reading until `resume`; what has been read already may still arrive. */
  pause(): void
  resume(): void
  /** Resolves once, when the channel has ended for whatever reason; never rejects. `error` is undefined after an orderly close by either side. */
  readonly closed: Promise<{ readonly error: Error | undefined }>
  /** Sends what is queued, then ends the channel; with `error` ends it at once, dropping what is queued. Idempotent. */
  close(error?: Error): void
}

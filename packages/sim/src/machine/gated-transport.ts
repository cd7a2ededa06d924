import type { Address, Channel, Listener, Transport } from '@lab/rpc'
import type { Gate } from './gate.ts'

/** The network as one process sees it: what arrives comes through its gate, and what it sends after its death goes nowhere. */
export function gatedTransport(inner: Transport, gate: Gate): Transport {
  return {
    schemes: inner.schemes,
    async connect(to: Address, signal: AbortSignal): Promise<Channel> {
      if (gate.isDead) return new Promise<never>(() => undefined)
      return new GatedChannel(await gate.promise(inner.connect(to, signal)), gate)
    },
    listen(at: Address, accept: (channel: Channel) => void): Promise<Listener> {
      if (gate.isDead) return new Promise<never>(() => undefined)
      return inner.listen(at, (channel) => {
        gate.pass('io', () => {
          accept(new GatedChannel(channel, gate))
        })
      })
    },
  }
}

class GatedChannel implements Channel {
  readonly #inner: Channel
  readonly #gate: Gate
  readonly closed: Channel['closed']
  #sequence: number | undefined

  constructor(inner: Channel, gate: Gate) {
    this.#inner = inner
    this.#gate = gate
    this.closed = gate.promise(inner.closed)
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress
  }

  get id(): string | undefined {
    return this.#inner.id
  }

  get sequence(): number | undefined {
    return this.#sequence
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes
  }

  send(message: Uint8Array): void {
    if (!this.#gate.isDead) this.#inner.send(message)
  }

  drained(): Promise<void> {
    return this.#gate.promise(this.#inner.drained())
  }

  receive(onMessage: (message: Uint8Array) => void): void {
    const receive = (message: Uint8Array, sequence: number | undefined): void => {
      this.#sequence = sequence
      onMessage(message)
    }
    this.#inner.receive((message) => {
      const { sequence } = this.#inner
      if (this.#gate.isOpen) receive(message, sequence)
      else
        this.#gate.pass('io', () => {
          receive(message, sequence)
        })
    })
  }

  limitMessages(bytesMax: number): void {
    this.#inner.limitMessages?.(bytesMax)
  }

  pause(): void {
    this.#inner.pause()
  }

  resume(): void {
    this.#inner.resume()
  }

  close(error?: Error): void {
    if (!this.#gate.isDead) this.#inner.close(error)
  }
}

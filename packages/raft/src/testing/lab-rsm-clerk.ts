/** A client of {@link LabRsm}: finds the leader, repeats what was lost, and still changes everything once (thesis §6.3). */
import { sleep, type Clock, type Random } from '@lab/rpc'
import { CLIENT_ID_BYTES, encodeOpen, encodeSession } from '../rsm/envelope.ts'
import { decodeReply, resultOf } from '../rsm/reply.ts'
import type { Codec } from '@lab/rpc'
import type { LabPeer } from './lab-interface.ts'

/** After a round in which nobody led. */
const PAUSE_MS = [20, 60] as const
const RULE = { sessionsMax: 10_000, idleMsMax: 3_600_000 }

export class LabRsmClerk {
  readonly #servers: readonly LabPeer[]
  readonly #clock: Clock
  readonly #random: Random
  /** Who led when it was asked last. */
  #leader = 0
  /** From the first command on: who only reads leaves nothing behind. */
  #clientId: Uint8Array | null = null
  #sequenceNumber = 0

  constructor(servers: readonly LabPeer[], env: { readonly clock: Clock; readonly random: Random }) {
    this.#servers = servers
    this.#clock = env.clock
    this.#random = env.random
  }

  /** One at a time. @returns the machine's result @throws {RaftError} what the machine threw */
  async command<R>(command: Uint8Array, codec: Codec<R>): Promise<R> {
    this.#clientId ??= await this.#open()
    const number = ++this.#sequenceNumber
    // One call at a time: the answers to all before it have come.
    const envelope = encodeSession(this.#clientId, number, number, command).slice()
    return resultOf(decodeReply(await this.#call('Command', envelope)), codec) as R
  }

  query(query: Uint8Array): Promise<Uint8Array> {
    return this.#call('Query', query)
  }

  async #open(): Promise<Uint8Array> {
    const clientId = Uint8Array.from({ length: CLIENT_ID_BYTES }, () => this.#random.integer(0, 255))
    await this.#call('Command', encodeOpen(clientId, RULE))
    return clientId
  }

  async #call(method: string, args: Uint8Array): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      const reply = await this.#servers[this.#leader]?.call(method, args)
      if (reply instanceof Uint8Array) return reply
      this.#leader = (this.#leader + 1) % this.#servers.length
      if (attempt % this.#servers.length === 0) await sleep(this.#clock, this.#random.integer(...PAUSE_MS))
    }
  }
}

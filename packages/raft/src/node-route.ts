import type { Clock, Milliseconds } from '@lab/rpc'
import { bounded, type Waiting } from './calls/bounded.ts'
import { decodeAttempt, fromRpcError } from './calls/refusal.ts'
import type { Attempt, AttemptOptions, Route } from './calls/route.ts'
import type { Driver } from './driver/driver.ts'
import type { GroupPeers } from './driver/group-peers.ts'
import { RaftError, type LeaderHint } from './errors.ts'
import { encodeOpen, type SessionRule } from './rsm/envelope.ts'
import type { NodeId } from './types.ts'

export interface NodeRouteOptions extends Waiting {
  readonly clock: Clock
  readonly self: NodeId
  readonly driver: Driver
  readonly peers: GroupPeers
  readonly rule: SessionRule
  /** Who leads, as far as this server knows. */
  readonly leader: () => LeaderHint | null
}

/** A member's way to the leader: itself, or one hop. What is forwarded is sent once, and the leader does not forward it again. */
export class NodeRoute implements Route {
  readonly #options: NodeRouteOptions
  readonly #waiting = new Set<() => void>()

  constructor(options: NodeRouteOptions) {
    this.#options = options
  }

  async attempt(payload: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    return this.#attempt(payload, 'propose', options)
  }

  async openSession(clientId: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    return this.#attempt(clientId, 'open', options)
  }

  /** Somebody leads, or nobody any more. */
  leaderChanged(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }

  changed(delay: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#options.clock.setTimer(delay, wake, { keepAlive: true })
      this.#waiting.add(wake)
    })
  }

  async #attempt(body: Uint8Array, method: 'propose' | 'open', options: AttemptOptions): Promise<Attempt> {
    const { self, leader } = this.#options
    const hint = leader()
    try {
      if (hint === null) throw nobodyLeads()
      if (hint.id === self) return { ok: true, reply: await this.#here(body, method, options) }
      return await this.#forward(hint, body, method, options)
    } catch (thrown) {
      return { ok: false, error: fromRpcError(thrown) }
    }
  }

  #here(
    body: Uint8Array,
    method: 'propose' | 'open',
    { timeout, signal }: AttemptOptions,
  ): Promise<Uint8Array> {
    const { driver, rule } = this.#options
    const reply = driver.propose(method === 'open' ? encodeOpen(body, rule) : body)
    return bounded(this.#options, reply, {
      timeout,
      signal,
      what: 'the command was not applied',
      outcome: 'unknown',
    })
  }

  async #forward(
    hint: LeaderHint,
    body: Uint8Array,
    method: 'propose' | 'open',
    options: AttemptOptions,
  ): Promise<Attempt> {
    const requests = this.#options.peers.requests(hint.id)
    if (requests === null)
      throw new RaftError('UNAVAILABLE', `no connection to the leader ${hint.id}`, {
        outcome: 'not-applied',
        leaderHint: hint,
      })
    return decodeAttempt(await requests[method](body, callOptions(options)))
  }
}

/** Leaves out an undefined signal: RPC options are exact. */
export function callOptions({ timeout, signal }: AttemptOptions): {
  timeout: Milliseconds
  signal?: AbortSignal
} {
  return signal === undefined ? { timeout } : { timeout, signal }
}

function nobodyLeads(): RaftError {
  return new RaftError('NOT_LEADER', 'nobody is known to lead', { outcome: 'not-applied' })
}

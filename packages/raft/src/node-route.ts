import { WaitList, type Clock, type Milliseconds } from '@lab/rpc'
import { bounded, type Waiting } from './calls/bounded.ts'
import { OpenLists, type ListTarget } from './calls/open-lists.ts'
import { decodeAttempt, fromRpcError } from './calls/refusal.ts'
import { attempt, type Sending } from './calls/sending.ts'
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

/** Commands share nothing. */
const NO_HEAD = new Uint8Array()

/** A member's way to the leader: itself, or one hop. What is forwarded is sent once, and the leader does not forward it again. */
export class NodeRoute implements Route {
  readonly #options: NodeRouteOptions
  readonly #waiting = new WaitList<() => void>()
  readonly #lists = new OpenLists()
  /** By leader, as they come. */
  readonly #targets = new Map<NodeId, ListTarget>()

  constructor(options: NodeRouteOptions) {
    this.#options = options
  }

  send(sending: Sending): void {
    const hint = this.#options.leader()
    if (hint === null) sending.failed(nobodyLeads(), false)
    else if (hint.id === this.#options.self) this.#here(sending.body, sending)
    else this.#lists.add(this.#target(hint), NO_HEAD, sending)
  }

  async openSession(clientId: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    const { self, leader, rule, peers } = this.#options
    const hint = leader()
    if (hint === null) return { ok: false, error: nobodyLeads() }
    if (hint.id === self)
      return attempt((sending) => this.#here(sending.body, sending), encodeOpen(clientId, rule), options)
    const requests = peers.requests(hint.id)
    if (requests === null) return { ok: false, error: unreachable(hint) }
    try {
      return decodeAttempt(await requests.open(clientId, callOptions(options)))
    } catch (thrown) {
      return { ok: false, error: fromRpcError(thrown) }
    }
  }

  /** Somebody leads, or nobody any more. */
  leaderChanged(): void {
    for (const wake of this.#waiting.takeAll()) wake()
  }

  changed(delay: Milliseconds): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#waiting.leave(place)
        resolve()
      }
      const timer = this.#options.clock.setTimer(delay, wake, { keepAlive: true })
      const place = this.#waiting.add(wake)
    })
  }

  #here(payload: Uint8Array, sending: Sending): void {
    const { timeout, signal } = sending
    const reply = this.#options.driver.propose(payload)
    const what = 'the command was not applied'
    bounded(this.#options, reply, { timeout, signal, what, outcome: 'unknown' }).then(
      (reply) => sending.answered(reply),
      (thrown: unknown) => sending.failed(fromRpcError(thrown), false),
    )
  }

  #target(hint: LeaderHint): ListTarget {
    const known = this.#targets.get(hint.id)
    if (known !== undefined) return known
    const requests = (): ReturnType<GroupPeers['requests']> => this.#options.peers.requests(hint.id)
    const target: ListTarget = {
      repeats: false,
      bytesMax: () => requests()?.bytesMax ?? 0,
      call: async (list, options) => {
        const leader = requests()
        if (leader === null) throw unreachable(hint)
        return leader.propose(list, options)
      },
      answered: () => undefined,
      refused: () => false,
      failed: () => undefined,
    }
    this.#targets.set(hint.id, target)
    return target
  }
}

/** Leaves out an undefined signal: RPC options are exact. */
export function callOptions({ timeout, signal }: AttemptOptions): {
  timeout: Milliseconds
  signal?: AbortSignal
} {
  return signal === undefined ? { timeout } : { timeout, signal }
}

function unreachable(leaderHint: LeaderHint): RaftError {
  return new RaftError('UNAVAILABLE', `no connection to the leader ${leaderHint.id}`, {
    outcome: 'not-applied',
    leaderHint,
  })
}

function nobodyLeads(): RaftError {
  return new RaftError('NOT_LEADER', 'nobody is known to lead', { outcome: 'not-applied' })
}

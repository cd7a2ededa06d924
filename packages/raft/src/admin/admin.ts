/**
 * What operators ask of a cluster: who takes part, and who leads. The leader does it; every other member passes it on, one hop, and
 * asks again while that is safe.
 */
import { RpcError, openLink, toError, type Clock, type LinkOptions, type Milliseconds } from '@lab/rpc'
import { checkChange } from './check-change.ts'
import { ANSWERED, decodeJson, encodeJson } from './codec.ts'
import { bounded, type Waiting } from '../calls/bounded.ts'
import { decodeAttempt, fromRpcError } from '../calls/refusal.ts'
import type { Attempt, AttemptOptions } from '../calls/route.ts'
import type { MembershipChange } from '../core/membership-change.ts'
import { membersOf } from '../core/membership.ts'
import type { Driver } from '../driver/driver.ts'
import type { GroupPeers } from '../driver/group-peers.ts'
import { RaftError, type LeaderHint } from '../errors.ts'
import type { Change } from '../core/ready.ts'
import { callOptions } from '../node-route.ts'
import { ClientService } from '../services.ts'
import type { AdminMethod, ChangeRequest, Handover, MembershipReport, TransferRequest } from './types.ts'
import type { NodeId } from '../types.ts'

/** A server to be added is dialled for no longer. */
const PROBE_MS_MAX = 3000
/** Of the time that a call has, this part is left for what comes after learners have caught up. */
const LEFT_FOR_THE_REST = 0.1

export interface AdminOptions extends Waiting {
  readonly clock: Clock
  readonly self: NodeId
  readonly driver: Driver
  readonly peers: GroupPeers
  readonly leader: () => LeaderHint | null
  /** How this server dials its peers. */
  readonly link: LinkOptions
}

export class Admin {
  readonly #options: AdminOptions
  /** Hand-overs under way, told of everything that happens. */
  readonly #handovers = new Set<(change: Change) => void>()

  constructor(options: AdminOptions) {
    this.#options = options
  }

  /** Here if this server leads, else one hop away. Never rejects. */
  async attempt(method: AdminMethod, body: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    const { self, leader, peers } = this.#options
    const hint = leader()
    try {
      if (hint === null) throw notLeader('nobody is known to lead', null)
      if (hint.id === self) return { ok: true, reply: await this.here(method, body, options) }
      if (method === 'membership') {
        const requests = peers.requests(hint.id)
        if (requests === null) throw unreachable(hint)
        return decodeAttempt(await requests.membership(body, callOptions(options)))
      }
      const admin = peers.admin(hint.id)
      if (admin === null) throw unreachable(hint)
      return decodeAttempt(await admin[method](body, callOptions(options)))
    } catch (thrown) {
      return { ok: false, error: fromRpcError(thrown) }
    }
  }

  /** Does what `method` says, as the leader. @returns what services.ts says @throws {RaftError} */
  async here(method: AdminMethod, body: Uint8Array, options: AttemptOptions): Promise<Uint8Array> {
    if (this.#options.driver.status.role !== 'leader')
      throw notLeader('this server does not lead', this.#options.leader())
    switch (method) {
      case 'membership':
        return encodeJson(ANSWERED, this.#report())
      case 'change':
        return encodeJson(ANSWERED, await this.#change(decodeJson<ChangeRequest>(body), options))
      case 'transfer':
        return encodeJson(
          ANSWERED,
          await this.#handOver({ type: 'transfer', to: decodeJson<TransferRequest>(body).to }, options),
        )
      case 'stepDown':
        return encodeJson(ANSWERED, await this.#handOver({ type: 'stepDown' }, options))
    }
  }

  #report(): MembershipReport {
    const { membership, commitIndex } = this.#options.driver.status
    return { membership, index: membership.index, committed: membership.index <= commitIndex }
  }

  async #change(
    { change: asked, ifIndex }: ChangeRequest,
    options: AttemptOptions,
  ): Promise<MembershipReport> {
    const { clock, driver } = this.#options
    const deadline = clock.now() + options.timeout
    const change = checkChange(asked, (address) => address)
    const incarnations = await this.#incarnations(change, options)
    const left = Math.max(1, deadline - clock.now())
    const patienceMs = left * (1 - LEFT_FOR_THE_REST)
    const done = driver.change.begin({ change: { ...change, incarnations }, ifIndex, patienceMs })
    const membership = await bounded(this.#options, done, {
      timeout: left,
      signal: options.signal,
      what: 'the change of membership was not committed',
      outcome: 'unknown',
    })
    return { membership, index: membership.index, committed: true }
  }

  /** Who they are that are to be added: the data folder's incarnation goes into the log with the name. */
  async #incarnations(change: MembershipChange, options: AttemptOptions): Promise<Record<NodeId, string>> {
    const members = new Set(membersOf(this.#options.driver.status.membership))
    const added = Object.entries({ ...change.add, ...change.addLearners }).filter(([id]) => !members.has(id))
    const timeout = Math.min(PROBE_MS_MAX, options.timeout / 2)
    return Object.fromEntries(
      await Promise.all(
        added.map(async ([id, addresses]) => [id, await this.#probe(id, addresses, timeout)] as const),
      ),
    )
  }

  async #probe(id: NodeId, addresses: readonly string[], timeout: Milliseconds): Promise<string> {
    const where = addresses.join(', ')
    let link: ReturnType<typeof openLink> | undefined
    const found = new Promise<string>((resolve, reject) => {
      link = openLink([...addresses], {
        ...this.#options.link,
        onState: (state, error) => {
          const peer = link?.peer
          if (state === 'up' && peer != null) {
            if (peer.nodeId === id) resolve(peer.incarnation)
            else reject(unknownNode(`${peer.nodeId || 'no member'} answers at ${where}, not ${id}`))
          } else if (error?.code === 'REFUSED' || error?.code === 'UNAUTHORISED')
            reject(unknownNode(`${id} at ${where} refuses: ${error.message}`))
        },
      })
    })
    try {
      const incarnation = await bounded(this.#options, found, {
        timeout,
        signal: undefined,
        what: 'it did not answer',
      })
      await link?.client(ClientService).status(this.#options.peers.group, { timeout })
      return incarnation
    } catch (thrown) {
      if (thrown instanceof RpcError && thrown.code === 'HANDLER_FAILED')
        throw unknownNode(`${id} at ${where}: ${thrown.message}: start it there first, with \`join\``)
      if (thrown instanceof RaftError && thrown.code === 'UNKNOWN_NODE') throw thrown
      throw unknownNode(
        `nobody answers at ${where}: start ${id} first, with \`join\` (${toError(thrown).message})`,
      )
    } finally {
      link?.close()
    }
  }

  async #handOver(
    input: { readonly type: 'transfer'; readonly to: NodeId | null } | { readonly type: 'stepDown' },
    options: AttemptOptions,
  ): Promise<Handover> {
    const { driver } = this.#options
    const wanted = input.type === 'transfer' ? input.to : null
    const { membership, id, currentTerm } = driver.status
    if (wanted === id) return { leader: id, term: currentTerm }
    if (wanted !== null && !membership.voters.includes(wanted))
      throw new RaftError('BAD_REQUEST', `${wanted} is no voter (${membership.voters.join(', ')})`, {
        outcome: 'not-applied',
      })
    let watch: (change: Change) => void = () => undefined
    const done = new Promise<Handover>((resolve, reject) => {
      watch = (change) => {
        if (change.type === 'refused' && change.what === 'transfer') reject(notTransferred(change.why))
        if (change.type !== 'role') return
        const { leader, role, term } = change
        if (leader !== null && leader !== id) {
          if (wanted === null || leader === wanted) resolve({ leader, term })
          else reject(notTransferred(`${leader} was elected instead of ${wanted}`))
        }
        // Who was asked to step down has done so; who leads next is not known yet.
        else if (input.type === 'stepDown' && role === 'follower') resolve({ leader: null, term })
        else if (role === 'leader') reject(notTransferred('it was elected again'))
      }
    })
    this.#handovers.add(watch)
    driver.input(input)
    try {
      const what = 'nobody is known to have taken over'
      return await bounded(this.#options, done, { ...options, what, outcome: 'unknown' })
    } finally {
      this.#handovers.delete(watch)
    }
  }

  /** What happens at this server. */
  observe(change: Change): void {
    for (const watch of [...this.#handovers]) watch(change)
  }
}

function notTransferred(why: string): RaftError {
  return new RaftError('NOT_TRANSFERRED', `leadership was not handed over: ${why}`, {
    outcome: 'not-applied',
  })
}

function unknownNode(message: string): RaftError {
  return new RaftError('UNKNOWN_NODE', message, { outcome: 'not-applied' })
}

function notLeader(message: string, hint: LeaderHint | null): RaftError {
  return new RaftError('NOT_LEADER', message, { outcome: 'not-applied', leaderHint: hint ?? undefined })
}

function unreachable(hint: LeaderHint): RaftError {
  return new RaftError('UNAVAILABLE', `no connection to the leader ${hint.id}`, {
    outcome: 'not-applied',
    leaderHint: hint,
  })
}

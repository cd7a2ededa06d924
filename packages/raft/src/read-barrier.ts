import type { Clock, Milliseconds, Random } from '@lab/rpc'
import { ByteReader, ByteWriter } from '@lab/rpc'
import { bounded, checkSignal, noAnswer, type Waiting } from './calls/bounded.ts'
import { fromRpcError } from './calls/refusal.ts'
import type { AttemptOptions, Route } from './calls/route.ts'
import type { LeaseAnswer } from './core/lease.ts'
import type { Driver } from './driver/driver.ts'
import type { GroupPeers } from './driver/group-peers.ts'
import { RaftError, type LeaderHint, type RaftErrorCode } from './errors.ts'
import { callOptions } from './node-route.ts'
import type { Wanted } from './reads.ts'
import type { Index, NodeId } from './types.ts'

/** What a question to the leader holds: nothing, or that its lease will do. */
const BY_ROUND = new Uint8Array()
const BY_LEASE = Uint8Array.of(1)
const BACKOFF_MS = 20
/** Each takes about a kilobyte. */
const READS_MAX = 65_536

/** Reads change nothing: whatever went wrong on the way, they may ask again. */
const RETRYABLE: ReadonlySet<RaftErrorCode> = new Set<RaftErrorCode>([
  'NOT_LEADER',
  'BUSY',
  'TIMEOUT',
  'UNAVAILABLE',
])

export interface ReadBarrierOptions extends Waiting {
  readonly clock: Clock
  readonly random: Random
  readonly self: NodeId
  readonly driver: Driver
  readonly peers: GroupPeers
  readonly route: Pick<Route, 'changed'>
  readonly leader: () => LeaderHint | null
  readonly attemptTimeout: Milliseconds
}

export interface PassOptions extends AttemptOptions {
  /** Whoever reads can ask another server as well. Default false. */
  readonly canMove?: boolean
}

/** How long one read may look for an index. */
interface Asking extends AttemptOptions {
  readonly deadline: Milliseconds
  readonly lease: boolean
}

/**
 * Linearizable reads at any member (thesis §6.4): the leader, asked after the read began, names an index; once that is applied
 * here, this server's state is at least as new as everything acknowledged before the read began.
 */
export class ReadBarrier {
  readonly #options: ReadBarrierOptions
  /** The questions to the leader that reads of this turn share, for a round and for its lease; they have not been sent. */
  #rounds: Question | null = null
  #leases: Question | null = null
  #waiting = 0

  constructor(options: ReadBarrierOptions) {
    this.#options = options
  }

  /**
   * Resolves when this server's state may be read.
   *
   * @param count of the reads that wait for it
   * @throws {RaftError} `LEASES_OFF`, `BUSY`, `TIMEOUT`, `CANCELLED`, `CLOSED`; with `canMove` also `NOT_LEADER`
   */
  async pass(wanted: Wanted, options: PassOptions, count = 1): Promise<void> {
    if (this.#waiting + count > READS_MAX)
      throw new RaftError('BUSY', `${READS_MAX} reads wait here already: come back later`)
    this.#waiting += count
    try {
      await this.#pass(wanted, options)
    } finally {
      this.#waiting -= count
    }
  }

  async #pass({ consistency, atLeast }: Wanted, { timeout, signal, canMove }: PassOptions): Promise<void> {
    const { clock, driver } = this.#options
    const deadline = clock.now() + timeout
    const asking = { deadline, timeout, signal, lease: consistency === 'lease' }
    const fresh = consistency === 'stale' ? this.#oldest() : await this.#readIndex(asking)
    const index = Math.max(fresh, atLeast)
    if (driver.lastApplied >= index) return
    if (canMove === true && consistency !== 'stale' && driver.givesWay)
      throw new RaftError('NOT_LEADER', 'this server starts, and lets another one be ready first')
    const left = Math.max(1, deadline - clock.now())
    await bounded(this.#options, driver.waitApplied(index), {
      timeout: left,
      signal,
      what: `entry ${index} was not applied here`,
    })
  }

  /** The oldest state that may be read at all: until the snapshot of the start is restored the machine is empty, and never was so. */
  #oldest(): Index {
    const { driver } = this.#options
    return driver.lastApplied > 0 ? 0 : driver.status.snapshotIndex
  }

  async #readIndex(asking: Asking): Promise<Index> {
    const { clock, driver, random, route } = this.#options
    const { deadline, timeout, signal } = asking
    for (;;) {
      driver.checkRunning()
      const left = Math.max(1, deadline - clock.now())
      try {
        return await this.#ask({ ...asking, timeout: Math.min(left, this.#options.attemptTimeout) })
      } catch (thrown) {
        const error = fromRpcError(thrown)
        checkSignal(signal)
        if (!RETRYABLE.has(error.code)) throw error
        const pause = random.integer(BACKOFF_MS / 2, BACKOFF_MS)
        await route.changed(Math.min(pause, Math.max(0, deadline - clock.now())))
        checkSignal(signal)
        if (clock.now() >= deadline)
          throw new RaftError('TIMEOUT', noAnswer('no leader confirmed the read', timeout, error), {
            cause: error,
          })
      }
    }
  }

  async #ask({ timeout, signal, lease }: Asking): Promise<Index> {
    const { self, leader } = this.#options
    const hint = leader()
    if (hint === null) throw new RaftError('NOT_LEADER', 'nobody is known to lead')
    const answer = hint.id === self ? this.#askHere(lease) : this.#askLeader(hint.id, timeout, lease)
    return bounded(this.#options, answer, { timeout, signal, what: 'the leader did not confirm the read' })
  }

  async #askHere(lease: boolean): Promise<Index> {
    const index = await ownReadIndex(this.#options.driver, lease)
    return index === LEASES_OFF ? refuseLease() : index
  }

  /** One question for all reads of this turn. A read never joins a question that has been sent: it may be older than the read. */
  #askLeader(leader: NodeId, timeout: Milliseconds, lease: boolean): Promise<Index> {
    const open = lease ? this.#leases : this.#rounds
    if (open?.leader === leader) return open.index
    const index = Promise.resolve().then(() => {
      if (lease) this.#leases = null
      else this.#rounds = null
      return this.#request(leader, timeout, lease)
    })
    if (lease) this.#leases = { leader, index }
    else this.#rounds = { leader, index }
    return index
  }

  async #request(leader: NodeId, timeout: Milliseconds, lease: boolean): Promise<Index> {
    const messages = this.#options.peers.messages(leader)
    if (messages === null) throw new RaftError('UNAVAILABLE', `no connection to the leader ${leader}`)
    const answer = await messages.readIndex(lease ? BY_LEASE : BY_ROUND, callOptions({ timeout }))
    const index = decodeIndex(answer)
    return index === LEASES_OFF ? refuseLease() : index
  }
}

/** A question that has not been sent, and what it will be answered. */
interface Question {
  readonly leader: NodeId
  readonly index: Promise<Index>
}

/** In place of an index: the configuration allows no leases. */
const LEASES_OFF: Index = 0

/** What the leader answers to {@link PeerService}'s readIndex. */
export async function answerReadIndex(driver: Driver, question: Uint8Array): Promise<Uint8Array> {
  return encodeIndex(await ownReadIndex(driver, question[0] === BY_LEASE[0]))
}

/** By the lease if it holds, else by a round. */
function ownReadIndex(driver: Driver, lease: boolean): Promise<Index> | Index {
  if (!lease) return driver.readIndex()
  const answer: LeaseAnswer = driver.leaseIndex()
  if (answer.ok) return answer.index
  return answer.why === 'off' ? LEASES_OFF : driver.readIndex()
}

function refuseLease(): never {
  throw new RaftError(
    'LEASES_OFF',
    "this cluster's configuration has leases off: read linearizable, or turn them on for the whole cluster",
  )
}

/** The body of a readIndex answer. */
function encodeIndex(index: Index): Uint8Array {
  return new ByteWriter(8).varint(index).finish()
}

function decodeIndex(bytes: Uint8Array): Index {
  const reader = new ByteReader(bytes)
  const index = reader.varint()
  reader.end()
  return index
}

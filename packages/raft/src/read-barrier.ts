import type { Clock, Milliseconds, Random } from '@lab/rpc'
import { ByteReader, ByteWriter } from '@lab/rpc'
import { bounded, checkSignal, type Waiting } from './calls/bounded.ts'
import { fromRpcError } from './calls/refusal.ts'
import type { AttemptOptions, Route } from './calls/route.ts'
import type { Driver } from './driver/driver.ts'
import type { Peers } from './driver/peers.ts'
import { RaftError, type LeaderHint, type RaftErrorCode } from './errors.ts'
import { callOptions } from './node-route.ts'
import type { Index, NodeId } from './types.ts'

const NOTHING = new Uint8Array()
const BACKOFF_MS = 20

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
  readonly peers: Peers
  readonly route: Pick<Route, 'changed'>
  readonly leader: () => LeaderHint | null
  readonly attemptTimeout: Milliseconds
}

/**
 * Linearizable reads at any member (thesis §6.4): the leader, asked after the read began, names an index; once that is applied
 * here, this server's state is at least as new as everything acknowledged before the read began.
 */
export class ReadBarrier {
  readonly #options: ReadBarrierOptions
  /** The question to the leader that reads of this turn share; it has not been sent. */
  #group: { readonly leader: NodeId; readonly index: Promise<Index> } | null = null

  constructor(options: ReadBarrierOptions) {
    this.#options = options
  }

  /** Resolves when this server's state may be read. @throws {RaftError} `TIMEOUT`, `CANCELLED`, `CLOSED` */
  async pass({ timeout, signal }: AttemptOptions): Promise<void> {
    const { clock, driver } = this.#options
    const deadline = clock.now() + timeout
    const index = await this.#readIndex(deadline, timeout, signal)
    if (driver.lastApplied >= index) return
    const left = Math.max(1, deadline - clock.now())
    await bounded(this.#options, driver.waitApplied(index), {
      timeout: left,
      signal,
      what: `entry ${index} was not applied here`,
    })
  }

  async #readIndex(
    deadline: Milliseconds,
    timeout: Milliseconds,
    signal: AbortSignal | undefined,
  ): Promise<Index> {
    const { clock, driver, random, route } = this.#options
    for (;;) {
      driver.checkRunning()
      const left = Math.max(1, deadline - clock.now())
      try {
        return await this.#ask(Math.min(left, this.#options.attemptTimeout), signal)
      } catch (thrown) {
        const error = fromRpcError(thrown)
        checkSignal(signal)
        if (!RETRYABLE.has(error.code)) throw error
        const pause = random.integer(BACKOFF_MS / 2, BACKOFF_MS)
        await route.changed(Math.min(pause, Math.max(0, deadline - clock.now())))
        checkSignal(signal)
        if (clock.now() >= deadline)
          throw new RaftError(
            'TIMEOUT',
            `no leader confirmed the read within ${timeout} ms; last: ${error.message}`,
            { cause: error },
          )
      }
    }
  }

  async #ask(timeout: Milliseconds, signal: AbortSignal | undefined): Promise<Index> {
    const { self, driver, leader } = this.#options
    const hint = leader()
    if (hint === null) throw new RaftError('NOT_LEADER', 'nobody is known to lead')
    const answer = hint.id === self ? driver.readIndex() : this.#askLeader(hint.id, timeout)
    return bounded(this.#options, answer, { timeout, signal, what: 'the leader did not confirm the read' })
  }

  /** One question for all reads of this turn. A read never joins a question that has been sent: it may be older than the read. */
  #askLeader(leader: NodeId, timeout: Milliseconds): Promise<Index> {
    if (this.#group?.leader === leader) return this.#group.index
    const index = Promise.resolve().then(() => {
      this.#group = null
      return this.#request(leader, timeout)
    })
    this.#group = { leader, index }
    return index
  }

  async #request(leader: NodeId, timeout: Milliseconds): Promise<Index> {
    const messages = this.#options.peers.messages(leader)
    if (messages === null) throw new RaftError('UNAVAILABLE', `no connection to the leader ${leader}`)
    return decodeIndex(await messages.readIndex(NOTHING, callOptions({ timeout })))
  }
}

/** The body of a readIndex answer. */
export function encodeIndex(index: Index): Uint8Array {
  return new ByteWriter(8).varint(index).finish()
}

function decodeIndex(bytes: Uint8Array): Index {
  const reader = new ByteReader(bytes)
  const index = reader.varint()
  reader.end()
  return index
}

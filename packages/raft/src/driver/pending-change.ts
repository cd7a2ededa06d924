import type { Clock } from '@lab/rpc'
import type { Raft } from '../core/raft.ts'
import type { Change } from '../core/ready.ts'
import type { ChangeAccepted, ChangeOptions } from '../core/reconfigure.ts'
import { RaftError, type RaftErrorCode } from '../errors.ts'
import type { Membership } from '../types.ts'
import { withOutcome } from './driver-errors.ts'

const CODES: Record<Exclude<ChangeAccepted, { ok: true }>['code'], RaftErrorCode> = {
  'not-leader': 'NOT_LEADER',
  busy: 'BUSY',
  conflict: 'CONFLICT',
  'bad-request': 'BAD_REQUEST',
}

/** The change of membership that this server leads, and who waits for its end. The core takes one at a time. */
export class PendingChange {
  readonly #core: Raft
  readonly #clock: Clock
  readonly #onBegun: () => void
  #waiting: {
    readonly resolve: (membership: Membership) => void
    readonly reject: (error: RaftError) => void
  } | null = null
  #stopped: (() => RaftError) | null = null

  /** @param onBegun the core has work */
  constructor(core: Raft, clock: Clock, onBegun: () => void) {
    this.#core = core
    this.#clock = clock
    this.#onBegun = onBegun
  }

  /**
   * @returns the configuration that the change has led to
   * @throws {RaftError} `NOT_LEADER`, `BUSY`, `CONFLICT`, `BAD_REQUEST`, `NOT_CAUGHT_UP`, `CLOSED`, and, of unknown outcome,
   *   `LEADERSHIP_LOST`
   */
  begin(options: ChangeOptions): Promise<Membership> {
    if (this.#stopped !== null) return Promise.reject(withOutcome(this.#stopped(), 'not-applied'))
    const accepted = this.#core.changeMembership(options, this.#clock.now())
    if (!accepted.ok) {
      const { code, why } = accepted
      return Promise.reject(new RaftError(CODES[code], why, { outcome: 'not-applied' }))
    }
    this.#onBegun()
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  observe(change: Change): void {
    if (this.#waiting !== null && change.type === 'role' && change.role !== 'leader') this.#fail(lost())
    if (change.type !== 'reconfigured') return
    const { membership, failure } = change
    if (failure === null) {
      this.#waiting?.resolve(membership)
      this.#waiting = null
    } else this.#fail(new RaftError('NOT_CAUGHT_UP', failure, { outcome: 'not-applied' }))
  }

  stop(makeError: () => RaftError): void {
    this.#stopped = makeError
    this.#fail(withOutcome(makeError(), 'unknown'))
  }

  #fail(error: RaftError): void {
    this.#waiting?.reject(error)
    this.#waiting = null
  }
}

function lost(): RaftError {
  return new RaftError(
    'LEADERSHIP_LOST',
    'the leader lost its office before the change was done: whoever leads next may finish it',
    { outcome: 'unknown' },
  )
}

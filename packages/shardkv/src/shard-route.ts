import { RaftError } from '@lab/raft'
import { reasonOf, type Attempt, type AttemptOptions, type Route, type Sending } from '@lab/raft/rsm'
import { sleep, toError, type Clock, type Milliseconds } from '@lab/rpc'
import { NOBODY, type Gid } from '@lab/shardctrler'
import { decodeGroupResult, encodeClient, encodeOpenSession } from './commands.ts'
import type { ConfigCache } from './config-cache.ts'
import type { GroupClient } from './group-clients.ts'
import type { Remote } from './migration.ts'

/** A way to each group's leader. */
export interface GroupWays {
  /** @returns null when nobody knows where the group is reached */
  of(group: Remote): Pick<GroupClient, 'propose' | 'read'> | null
}

export interface ShardRouteOptions {
  readonly shard: number
  readonly configs: ConfigCache
  readonly groups: GroupWays
  readonly clock: Clock
}

/**
 * A way to whichever group serves one shard: a session's commands take it, so that they count once wherever the shard is. A group
 * that does not serve it says so without having done anything; the next attempt asks the one that the controller names.
 */
export class ShardRoute implements Route {
  readonly #options: ShardRouteOptions

  constructor(options: ShardRouteOptions) {
    this.#options = options
  }

  send(sending: Sending): void {
    const { body, timeout, signal } = sending
    this.#tell(sending, (group) =>
      group.propose(encodeClient(this.#options.shard, body), { timeout, signal, attempts: 1 }),
    )
  }

  openSession(clientId: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    return this.#attempt(options, (group) =>
      group.propose(encodeOpenSession(this.#options.shard, clientId), { ...options, attempts: 1 }),
    )
  }

  /** A query: see queries.ts. */
  read(sending: Sending, options: Parameters<GroupClient['read']>[1]): void {
    const { body, timeout, signal } = sending
    this.#tell(sending, (group) => group.read(body, { ...options, timeout, signal }))
  }

  changed(delay: Milliseconds): Promise<void> {
    return sleep(this.#options.clock, delay)
  }

  #tell(sending: Sending, send: (group: Pick<GroupClient, 'propose' | 'read'>) => Promise<Uint8Array>): void {
    void this.#attempt(sending, send).then((attempt) => {
      if (attempt.ok) sending.answered(attempt.reply)
      else sending.failed(attempt.error, false)
    })
  }

  /** Never rejects. */
  async #attempt(
    { signal }: Pick<AttemptOptions, 'signal'>,
    send: (group: Pick<GroupClient, 'propose' | 'read'>) => Promise<Uint8Array>,
  ): Promise<Attempt> {
    const { shard, configs, groups } = this.#options
    const { num, shards, groups: servers } = configs.config
    const gid = shards[shard] ?? NOBODY
    const group = gid === NOBODY ? null : groups.of({ gid, servers: servers[gid] ?? [] })
    if (group === null)
      return this.#elsewhere(notServed(`no group serves shard ${shard} in configuration ${num}`), signal)
    try {
      const result = decodeGroupResult(await send(group))
      if (result.kind === 'done') return { ok: true, reply: result.reply }
      const why = result.kind === 'refused' ? result.why : `as of configuration ${result.num}`
      return await this.#elsewhere(notServed(`group ${gid} does not serve shard ${shard}: ${why}`), signal)
    } catch (thrown) {
      return this.#elsewhere(errorOf(thrown, gid), signal)
    }
  }

  /** Somebody else may serve it by now; a group that is only slow is found again. */
  async #elsewhere(error: RaftError, signal: AbortSignal | undefined): Promise<Attempt> {
    if (error.code !== 'CANCELLED' && signal?.aborted !== true) await this.#options.configs.refresh()
    return { ok: false, error }
  }
}

function notServed(message: string): RaftError {
  return new RaftError('UNAVAILABLE', message, { outcome: 'not-applied' })
}

/** Says which group it was: there are many. */
function errorOf(thrown: unknown, gid: Gid): RaftError {
  const error = toError(thrown)
  const message = `group ${gid}: ${reasonOf(error)}`
  if (!(error instanceof RaftError))
    return new RaftError('UNAVAILABLE', message, { outcome: 'unknown', cause: error })
  const { code, outcome, leaderHint, remoteCode } = error
  return new RaftError(code, message, { outcome, leaderHint, remoteCode, cause: error })
}

import { RaftError } from '@lab/raft'
import { attempt, reasonOf, type Attempt, type AttemptOptions, type Route, type Sending } from '@lab/raft/rsm'
import { sleep, toError, type Clock, type Milliseconds } from '@lab/rpc'
import { NOBODY, type Gid } from '@lab/shardctrler'
import { decodeGroupResult, encodeClient, encodeOpenSession, type GroupResult } from './commands.ts'
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
    const command = encodeClient(this.#options.shard, body)
    this.#put(sending, (group) => group.propose(command, { timeout, signal, attempts: 1 }))
  }

  openSession(clientId: Uint8Array, options: AttemptOptions): Promise<Attempt> {
    const command = encodeOpenSession(this.#options.shard, clientId)
    const send = (sending: Sending): void =>
      this.#put(sending, (group) => group.propose(command, { ...options, attempts: 1 }))
    return attempt(send, command, options)
  }

  /** A query: see queries.ts. */
  read(sending: Sending, options: Parameters<GroupClient['read']>[1]): void {
    const { body, timeout, signal } = sending
    this.#put(sending, (group) => group.read(body, { ...options, timeout, signal }))
  }

  changed(delay: Milliseconds): Promise<void> {
    return sleep(this.#options.clock, delay)
  }

  /** No async function where things go well: each that a call passes through costs as much as encoding it. */
  #put(sending: Sending, send: (group: Pick<GroupClient, 'propose' | 'read'>) => Promise<Uint8Array>): void {
    const { shard, configs, groups } = this.#options
    const { num, shards, groups: servers } = configs.config
    const gid = shards[shard] ?? NOBODY
    const group = gid === NOBODY ? null : groups.of({ gid, servers: servers[gid] ?? [] })
    const failed = (error: RaftError): void => {
      void this.#lookElsewhere(error, sending.signal).then(() => sending.failed(error, false))
    }
    if (group === null) {
      failed(notServed(`no group serves shard ${shard} in configuration ${num}`))
      return
    }
    send(group).then(
      (bytes) => {
        const result = resultIn(bytes)
        if (result instanceof Error) failed(errorOf(result, gid))
        else if (result.kind === 'done') sending.answered(result.reply)
        else {
          const why = result.kind === 'refused' ? result.why : `as of configuration ${result.num}`
          failed(notServed(`group ${gid} does not serve shard ${shard}: ${why}`))
        }
      },
      (thrown: unknown) => failed(errorOf(thrown, gid)),
    )
  }

  /** Somebody else may serve it by now; a group that is only slow is found again. */
  async #lookElsewhere({ code }: RaftError, signal: AbortSignal | undefined): Promise<void> {
    if (code !== 'CANCELLED' && signal?.aborted !== true) await this.#options.configs.refresh()
  }
}

/** What a group answered, or why that makes no sense. */
function resultIn(bytes: Uint8Array): GroupResult | Error {
  try {
    return decodeGroupResult(bytes)
  } catch (thrown) {
    return toError(thrown)
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

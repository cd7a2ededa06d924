/** Looks at the servers from outside, as `lab cluster status` does, several times a second. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { RaftClient, ServerStatus } from '@lab/raft'

/** Of a server on this machine; a dead one is not waited for. */
const STATUS_MS = 250
const EVERY_MS = 100

export class Observer {
  readonly #client: RaftClient
  #latest = new Map<string, ServerStatus>()

  constructor(client: RaftClient) {
    this.#client = client
  }

  /** What each server said when it was last asked; a silent one is missing. */
  get latest(): ReadonlyMap<string, ServerStatus> {
    return this.#latest
  }

  /** Who leads in the highest term that anybody has told of; null when nobody says so of itself. */
  get leader(): ServerStatus | null {
    const leaders = [...this.#latest.values()].filter(({ role }) => role === 'leader')
    return leaders.reduce<ServerStatus | null>((a, b) => (a === null || b.term > a.term ? b : a), null)
  }

  async look(): Promise<void> {
    const reports = await this.#client.status({ timeout: STATUS_MS })
    this.#latest = new Map(reports.flatMap(({ status }) => (status === null ? [] : [[status.id, status]])))
  }

  /** Looks until `signal` aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look()
      await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Looks until somebody leads in a term above `term`. @throws the reason of `signal` when it aborts first */
  async newLeader(term: number, signal: AbortSignal): Promise<ServerStatus> {
    for (;;) {
      const { leader } = this
      if (leader !== null && leader.term > term) return leader
      signal.throwIfAborted()
      await sleep(EVERY_MS / 4, undefined, { signal })
    }
  }
}

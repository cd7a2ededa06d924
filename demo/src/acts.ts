/** The play: what is done to the servers while they are written to. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Meter } from './meter.ts'
import type { Observer } from './observer.ts'
import type { Servers } from './servers.ts'

const POLL_MS = 10

export interface Stage {
  readonly servers: Servers
  readonly observer: Observer
  readonly meter: Meter
  /** Between two acts, in milliseconds. */
  readonly pauseMs: number
  /** How many operations have been sent again so far. */
  readonly retried: () => number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** @returns when the last act is over and the servers have worked in peace for a while */
export async function play(stage: Stage): Promise<void> {
  const { servers, observer, say, signal, pauseMs } = stage
  const pause = (share = 1): Promise<void> => sleep(pauseMs * share, undefined, { signal })

  await pause()
  const leader = await observer.newLeader(0, signal)
  say(`kill -9 ${leader.id}, the leader of term ${leader.term}`)
  let outage = new Outage(stage)
  await servers.kill([leader.id])
  await outage.over()

  await pause()
  await comeBack(stage, [leader.id])

  await pause()
  say(`kill -9 ${servers.ids.join(' ')}: all of them`)
  outage = new Outage(stage)
  await servers.kill(servers.ids)
  await pause(0.5)
  await comeBack(stage, servers.ids)
  await outage.over()
  await pause()
}

async function comeBack({ servers, say }: Stage, ids: readonly string[]): Promise<void> {
  const started = performance.now()
  await servers.start(ids)
  const took = Math.round(performance.now() - started)
  say(`${ids.join(' ')} started again, in ${took} ms, with what the disk held`)
}

/** A time without a leader: begun before the servers are killed, over when somebody else has acknowledged an operation. */
class Outage {
  readonly #stage: Stage
  readonly #term: number
  readonly #retried: number
  readonly #failed: number

  constructor(stage: Stage) {
    const { observer, meter, retried } = stage
    this.#stage = stage
    this.#term = Math.max(0, ...[...observer.latest.values()].map(({ term }) => term))
    this.#retried = retried()
    this.#failed = meter.failed
    meter.watchGap()
  }

  /** Waits for its end, and tells who leads now and what it cost. */
  async over(): Promise<void> {
    const { observer, meter, retried, say, signal } = this.#stage
    const { id, term } = await observer.newLeader(this.#term, signal)
    const { done } = meter
    while (meter.done === done) await sleep(POLL_MS, undefined, { signal })
    const cost = [
      `${Math.round(meter.longestGap)} ms without a leader`,
      `${retried() - this.#retried} retried`,
      `${meter.failed - this.#failed} failed`,
    ]
    say(`${id} leads, term ${term}: ${cost.join(', ')}`)
  }
}

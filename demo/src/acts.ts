/** The play: what is done to the store while it is written to and asked. */
import { setTimeout as sleep } from 'node:timers/promises'
import { gidsOf, type Clerk as ControllerClerk } from '@lab/shardctrler/clerk'
import type { Machines } from './machines.ts'
import type { Meter } from './meter.ts'
import { CONTROLLER, type Observer } from './observer.ts'
import type { Search } from './search.ts'
import { shardMap } from './shard-view.ts'

const POLL_MS = 50
/** Of the shards that move: when so many have arrived, a machine is killed. */
const KILL_AT_SHARE = 1 / 4
/** The controller may be electing its leader. */
const CONTROLLER_MS = 30_000

export interface Stage {
  readonly machines: Machines
  readonly observer: Observer
  readonly controller: ControllerClerk
  /** `lab shard join`. */
  readonly join: (gid: number, on: readonly string[]) => Promise<void>
  /** The group that comes, and where. */
  readonly newcomer: { readonly gid: number; readonly on: readonly string[] }
  readonly meter: Meter
  readonly search: Search
  /** Between two acts, in milliseconds. */
  readonly pauseMs: number
  /** How many operations have been sent again so far. */
  readonly retried: () => number
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

/** @returns when the last act is over and the machines have worked in peace for a while */
export async function play(stage: Stage): Promise<void> {
  const { machines, observer, say, signal, pauseMs } = stage
  const pause = (share = 1): Promise<void> => sleep(pauseMs * share, undefined, { signal })

  await observer.leaders(() => true, signal)
  await stage.search.open()
  await pause(0.5)
  const victim = await growAndBreak(stage)

  await pause()
  await comeBack(stage, [victim])

  await pause()
  say(`kill -9 ${machines.ids.join(' ')}: all of them`)
  const trouble = new Trouble(stage)
  await machines.kill(machines.ids)
  await pause(0.5)
  await comeBack(stage, machines.ids)
  await trouble.over((terms) => (group) => group.term > (terms.get(group.gid) ?? 0))
  await stage.search.show()
  await pause()
}

/** A group joins, and while its shards are on their way the machine that leads most is killed. @returns that machine */
async function growAndBreak(stage: Stage): Promise<string> {
  const { machines, observer, controller, newcomer, say, signal } = stage
  const { gid, on } = newcomer
  const started = performance.now()
  const before = await controller.query(-1, { timeout: CONTROLLER_MS, signal })
  say(`shards ${shardMap(observer.shards, gidsOf(before))}`)
  await stage.join(gid, on)
  const after = await controller.query(-1, { timeout: CONTROLLER_MS, signal })
  const moved = after.shards.flatMap((to, shard) => (to === before.shards[shard] ? [] : [shard]))
  say(
    `lab shard join ${gid} --on ${on.join(',')}: ${moved.length} of ${after.shards.length} shards are to move`,
  )

  const there = await someHaveMoved(stage, moved)
  say(`shards ${shardMap(observer.shards, gidsOf(after))}`)
  const victim = mostLeading(stage)
  const led = observer.ledBy(victim)
  say(`kill -9 ${victim}, which leads ${namesOf(led)}; ${there} of ${moved.length} shards have moved`)
  const trouble = new Trouble(stage)
  await machines.kill([victim])
  await trouble.over(
    () =>
      ({ leader }) =>
        leader !== victim,
  )

  for (;;) {
    const { finished } = await controller.progress({ timeout: CONTROLLER_MS, signal })
    if (gidsOf(after).every((one) => (finished[one] ?? 0) >= after.num)) break
    await sleep(POLL_MS, undefined, { signal })
  }
  await observer.lookAtShards()
  say(`shards ${shardMap(observer.shards, gidsOf(after))}`)
  say(`all ${moved.length} have moved, ${Math.round(performance.now() - started)} ms after the command`)
  await stage.search.show()
  return victim
}

/** Waits until a part of these shards is at the newcomer, and the rest on its way. @returns how many are there */
async function someHaveMoved(
  { observer, newcomer, signal }: Stage,
  moved: readonly number[],
): Promise<number> {
  for (;;) {
    await observer.lookAtShards()
    const there = moved.filter((shard) => {
      const view = observer.shards[shard]
      return view?.gid === newcomer.gid && !view.isMoving
    })
    if (there.length >= moved.length * KILL_AT_SHARE) return there.length
    signal.throwIfAborted()
  }
}

function mostLeading({ machines, observer }: Stage): string {
  return machines.ids.reduce((a, b) => (observer.ledBy(b).length > observer.ledBy(a).length ? b : a))
}

function namesOf(gids: readonly number[]): string {
  return gids.map((gid) => (gid === CONTROLLER ? 'the controller' : `group ${gid}`)).join(', ') || 'nothing'
}

async function comeBack({ machines, say }: Stage, ids: readonly string[]): Promise<void> {
  const started = performance.now()
  await machines.start(ids)
  const took = Math.round(performance.now() - started)
  say(`${ids.join(' ')} started again, in ${took} ms, with what the disk held`)
}

type IsNew = Parameters<Observer['leaders']>[0]

/** A time without some leaders: begun before machines are killed, over when others lead and have acknowledged an operation. */
class Trouble {
  readonly #stage: Stage
  readonly #terms: ReadonlyMap<number, number>
  readonly #retried: number
  readonly #failed: number

  constructor(stage: Stage) {
    const { observer, meter, retried } = stage
    this.#stage = stage
    this.#terms = new Map(observer.groups.map(({ gid, term }) => [gid, term]))
    this.#retried = retried()
    this.#failed = meter.failed
    meter.watchGap()
  }

  /** Waits for its end, and tells who leads now and what it cost. @param isNew of a leader, given the terms before */
  async over(isNew: (terms: ReadonlyMap<number, number>) => IsNew): Promise<void> {
    const { observer, meter, retried, say, signal } = this.#stage
    const groups = await observer.leaders(isNew(this.#terms), signal)
    const { done } = meter
    while (meter.done === done) await sleep(POLL_MS, undefined, { signal })
    const leaders = groups.map(
      ({ gid, leader }) => `${gid === CONTROLLER ? 'controller' : gid} ${leader ?? ''}`,
    )
    const cost = [
      `at most ${Math.round(meter.longestGap)} ms without an answer`,
      `${retried() - this.#retried} retried`,
      `${meter.failed - this.#failed} failed`,
    ]
    say(`leaders: ${leaders.join(', ')}; ${cost.join(', ')}`)
  }
}

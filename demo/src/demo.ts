/**
 * The whole demo: start, load under fire, read back, judge.
 *
 *     texts ─▶ pages ─▶ writers ─▶ Clerk ─▶ m1 m2 m3 m4 (lab server, groups and controller; killed by acts.ts)
 *       │                  │         ▲           │
 *       │                meter    questions   observer ─▶ view
 *       └▶ MapReduce ─▶ index ───────┘
 *     afterwards: pages, index ─▶ verify ─▶ verdict
 */
import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Transport } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'
import { Clerk as ControllerClerk } from '@lab/shardctrler/clerk'
import { Clerk } from '@lab/shardkv/clerk'
import { play, type Stage } from './acts.ts'
import { diskUse } from './disk-use.ts'
import { load, type Loaded } from './load.ts'
import type { Machines } from './machines.ts'
import { Meter } from './meter.ts'
import { Observer } from './observer.ts'
import { Pace } from './pace.ts'
import type { MachinePicture, View } from './picture.ts'
import type { Page } from './plan.ts'
import type { Questions } from './questions.ts'
import { Search, type SearchOptions } from './search.ts'
import { verify, type Verdict } from './verify.ts'

export interface DemoPlan
  extends
    Pick<Stage, 'join' | 'newcomer' | 'pauseMs' | 'signal'>,
    Pick<SearchOptions, 'texts' | 'transport' | 'folder'> {
  readonly pages: readonly Page[]
  /** Operations a second; Infinity for no limit. */
  readonly rate: number
  /** Already started. */
  readonly machines: Machines
  /** Of the machines' data, by id. */
  readonly folders: Readonly<Record<string, string>>
  readonly view: View
}

export interface DemoResult {
  readonly verdict: Verdict
  readonly meter: Meter
  /** Milliseconds that the load took. */
  readonly loadMs: number
  /** What was asked on the way. */
  readonly questions: Questions
  /** On all disks together, at the end. */
  readonly diskBytes: number
}

const PICTURE_EVERY_MS = 200
const SPARK_BUCKETS = 80
/** Percentiles on the way are those of so many operations. */
const LATEST = 2000
/** Pages under way. Paced, a few would do; more show that operations are independent. */
const CONCURRENCY_PACED = 32
const CONCURRENCY_UNPACED = 96

export async function runDemo(plan: DemoPlan): Promise<DemoResult> {
  const { machines, signal } = plan
  const { addresses } = machines
  const transports: Transport[] = [tcp(), webSocket()]
  const clerk = await Clerk.connect({ controllers: addresses, transports })
  const onlooker = await Clerk.connect({ controllers: addresses, transports })
  const controller = await ControllerClerk.connect({ servers: addresses, transports })
  const observer = new Observer({ clerk: onlooker, addresses, transports })
  const meter = new Meter(() => performance.now())
  const watching = new AbortController()
  const watched = Promise.all([
    observer.watch(watching.signal),
    paint(plan, { observer, meter, signal: watching.signal }),
  ])
  try {
    const { pages, failures, questions } = await loadUnderFire(plan, { clerk, controller, observer, meter })
    const loadMs = meter.elapsed
    const verdict = await verify(pages, failures, { reader: clerk, signal })
    return { verdict, meter, loadMs, questions, diskBytes: sumOf(Object.values(plan.folders).map(diskUse)) }
  } finally {
    watching.abort()
    await watched
    plan.view.close()
    await Promise.all([clerk.close(), onlooker.close(), controller.close()])
  }
}

interface Parts {
  readonly clerk: Clerk
  readonly controller: ControllerClerk
  readonly observer: Observer
  readonly meter: Meter
}

async function loadUnderFire(
  plan: DemoPlan,
  { clerk, controller, observer, meter }: Parts,
): Promise<Loaded & Pick<DemoResult, 'questions'>> {
  const { pages: texts, rate, view } = plan
  const failed = new AbortController()
  const signal = AbortSignal.any([plan.signal, failed.signal])
  // Each writer waits for its turn with it.
  setMaxListeners(0, signal)
  let playing = true
  const say = (line: string): void => view.say(meter.elapsed, line)
  const search = new Search({ ...plan, clerk, say, signal })
  const played = play({
    ...plan,
    ...{ controller, observer, meter, search, say, signal },
    retried: () => clerk.metrics().retried,
  }).finally(() => {
    playing = false
  })
  const loading = load(texts, {
    ...{ writer: clerk, meter, pace: new Pace(rate), signal, again: () => playing },
    concurrency: rate === Infinity ? CONCURRENCY_UNPACED : CONCURRENCY_PACED,
  })
  try {
    const [{ pages, failures }] = await Promise.all([loading, played])
    const questions = await search.close()
    const { loaded } = search
    return { pages: [...pages, ...loaded.pages], failures: [...failures, ...loaded.failures], questions }
  } catch (thrown) {
    // One of the two has failed: the other must not go on.
    failed.abort(thrown)
    await Promise.allSettled([loading, played])
    throw thrown
  }
}

async function paint(
  plan: DemoPlan,
  { observer, meter, signal }: Pick<Parts, 'observer' | 'meter'> & { readonly signal: AbortSignal },
): Promise<void> {
  const { view, pages } = plan
  const planned = sumOf(pages.map(({ pieces }) => pieces.length))
  while (!signal.aborted) {
    view.show({
      ...{ elapsed: meter.elapsed, groups: observer.groups, shards: observer.shards },
      machines: plan.machines.ids.map((id) => machinePicture(id, plan, observer)),
      ...{ done: meter.done, planned, rate: meter.rate, throughput: meter.throughput(SPARK_BUCKETS) },
      ...{ p50: meter.percentile(0.5, LATEST), p99: meter.percentile(0.99, LATEST) },
    })
    await sleep(PICTURE_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

function machinePicture(id: string, { machines, folders }: DemoPlan, observer: Observer): MachinePicture {
  const known = { id, leads: observer.ledBy(id), diskBytes: diskUse(folders[id] ?? '') }
  if (!machines.isRunning(id)) return { ...known, state: 'dead' }
  return { ...known, state: observer.hasSpoken(id) ? 'up' : 'starting' }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

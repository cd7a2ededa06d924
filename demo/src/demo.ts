/**
 * The whole demo: start, load under fire, read back, judge.
 *
 *     texts ─▶ pages ─▶ writers ─▶ Clerk ─▶ n1 n2 n3 (lab server kv, killed by acts.ts)
 *                          │                  │
 *                        meter             observer ─▶ view
 *     afterwards: pages ─▶ verify ─▶ verdict
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Clerk } from '@lab/kvraft/clerk'
import { RaftClient } from '@lab/raft'
import type { Transport } from '@lab/rpc'
import { tcp } from '@lab/rpc/tcp'
import { webSocket } from '@lab/rpc/websocket'
import { play } from './acts.ts'
import { diskUse } from './disk-use.ts'
import { load, type Loaded } from './load.ts'
import { Meter } from './meter.ts'
import { Observer } from './observer.ts'
import { Pace } from './pace.ts'
import type { NodePicture, View } from './picture.ts'
import type { Page } from './plan.ts'
import type { Servers } from './servers.ts'
import { verify, type Verdict } from './verify.ts'

export interface DemoPlan {
  readonly pages: readonly Page[]
  /** Operations a second; Infinity for no limit. */
  readonly rate: number
  /** Between two acts, in milliseconds. */
  readonly pauseMs: number
  /** Already started. */
  readonly servers: Servers
  /** Of server data, by id. */
  readonly folders: Readonly<Record<string, string>>
  readonly view: View
  readonly signal: AbortSignal
}

export interface DemoResult {
  readonly verdict: Verdict
  readonly meter: Meter
  /** Milliseconds that the load took. */
  readonly loadMs: number
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
  const { servers, signal } = plan
  const transports: Transport[] = [tcp(), webSocket()]
  const clerk = await Clerk.connect({ servers: servers.addresses, transports })
  const client = await RaftClient.connect({ servers: servers.addresses, transports })
  const observer = new Observer(client)
  const meter = new Meter(() => performance.now())
  const watching = new AbortController()
  const watched = Promise.all([
    observer.watch(watching.signal),
    paint(plan, { observer, meter, signal: watching.signal }),
  ])
  try {
    const { pages, failures } = await loadUnderFire(plan, { clerk, observer, meter })
    const loadMs = meter.elapsed
    const verdict = await verify(pages, failures, { reader: clerk, signal })
    return { verdict, meter, loadMs, diskBytes: sumOf(Object.values(plan.folders).map(diskUse)) }
  } finally {
    watching.abort()
    await watched
    plan.view.close()
    await Promise.all([clerk.close(), client.close()])
  }
}

interface Parts {
  readonly clerk: Clerk
  readonly observer: Observer
  readonly meter: Meter
}

async function loadUnderFire(plan: DemoPlan, { clerk, observer, meter }: Parts): Promise<Loaded> {
  const { pages, rate, pauseMs, servers, view } = plan
  const failed = new AbortController()
  const signal = AbortSignal.any([plan.signal, failed.signal])
  let playing = true
  const say = (line: string): void => view.say(meter.elapsed, line)
  const played = play({
    servers,
    observer,
    meter,
    pauseMs,
    say,
    signal,
    retried: () => clerk.metrics().retried,
  }).finally(() => {
    playing = false
  })
  const loading = load(pages, {
    ...{ writer: clerk, meter, pace: new Pace(rate), signal, again: () => playing },
    concurrency: rate === Infinity ? CONCURRENCY_UNPACED : CONCURRENCY_PACED,
  })
  try {
    const [loaded] = await Promise.all([loading, played])
    return loaded
  } catch (thrown) {
    // One of the two has failed: the other must not go on.
    failed.abort(thrown)
    await Promise.allSettled([loading, played])
    throw thrown
  }
}

async function paint(
  { view, servers, pages, folders }: DemoPlan,
  { observer, meter, signal }: Omit<Parts, 'clerk'> & { readonly signal: AbortSignal },
): Promise<void> {
  const planned = sumOf(pages.map(({ pieces }) => pieces.length))
  while (!signal.aborted) {
    view.show({
      elapsed: meter.elapsed,
      nodes: servers.ids.map((id) => nodePicture(id, folders[id] ?? '', { servers, observer })),
      ...{ done: meter.done, planned, rate: meter.rate, throughput: meter.throughput(SPARK_BUCKETS) },
      ...{ p50: meter.percentile(0.5, LATEST), p99: meter.percentile(0.99, LATEST) },
    })
    await sleep(PICTURE_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

function nodePicture(
  id: string,
  folder: string,
  { servers, observer }: { readonly servers: Servers; readonly observer: Observer },
): NodePicture {
  const status = observer.latest.get(id)
  const known = { id, term: status?.term ?? 0, commit: status?.commitIndex ?? 0, diskBytes: diskUse(folder) }
  if (!servers.isRunning(id)) return { ...known, state: 'dead' }
  return { ...known, state: status?.role ?? 'starting' }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

/**
 * Rounds of one kind of operation at several depths, all contenders in turn, so that all meet the same machine. Each has it to itself: the
 * servers of others are stopped meanwhile, for three that do nothing still take a tenth of what the fourth would do.
 */
import type { BenchmarkOptions, Row } from '../benchmark.ts'
import type { LoadResult } from '../cluster/load.ts'
import { cpuSecondsOf, residentOf } from '../cluster/server-process.ts'
import { median } from '../statistics.ts'
import type { Contender } from './contenders.ts'
import { RECORDED, recorded } from './recorded.ts'

export type Kind = 'puts' | 'gets'

export const IN_FLIGHT = [1, 16, 64, 256, 1000]
const ROUNDS_MAX = 5
/** Shorter ones would measure the start. */
const SLOT_MS_MIN = 1500
const WARMUP_PART = 0.25
/**
 * Before the first slot everybody works for so long, of the time for all, at a load where what a program must learn is learnt
 * soonest: a server of ours still becomes cheaper after 400 000 puts.
 */
const LEARNING_PART = 0.3
const LEARNING_IN_FLIGHT = 256

/** How many times as fast as etcd. */
const GOALS: Readonly<Record<Kind, Readonly<Record<number, number>>>> = {
  puts: { 1: 1.2, 64: 6, 256: 8, 1000: 8 },
  gets: { 64: 5, 256: 8, 1000: 8 },
}
/** Of etcd's processor time a put, at 256 in flight and above. */
const CPU_GOAL = 0.25

/** One contender at one depth, the rounds together. */
interface Reached extends LoadResult {
  /** Microseconds an operation, of all servers together and of the client. */
  readonly serverMicros: number
  readonly clientMicros: number
}

export async function contest(
  kind: Kind,
  contenders: readonly Contender[],
  milliseconds: number,
  { log }: Pick<BenchmarkOptions, 'log'>,
): Promise<{ readonly rows: Row[]; readonly etcdPeak: number }> {
  for (const contender of contenders) contender.rest()
  const learningMs = milliseconds * LEARNING_PART
  for (const contender of contenders) await learn(kind, contender, learningMs / contenders.length)
  const share = (milliseconds - learningMs) / (IN_FLIGHT.length * contenders.length)
  const rounds = Math.max(1, Math.min(ROUNDS_MAX, Math.floor(share / SLOT_MS_MIN)))
  const all = new Map(contenders.map((one) => [one, IN_FLIGHT.map((): Reached[] => [])]))
  for (let round = 1; round <= rounds; round++) {
    for (const [contender, reached] of all) {
      await contender.wake()
      for (const [at, inFlight] of IN_FLIGHT.entries())
        reached[at]?.push(await slot(kind, contender, inFlight, share / rounds))
      contender.rest()
    }
    log(`round ${String(round)} of ${String(rounds)} done`)
  }
  let etcdPeak = 0
  const rows = IN_FLIGHT.flatMap((inFlight, at) => {
    const reached = [...all].map(([contender, results]) => ({
      contender,
      result: medians(results[at] ?? []),
    }))
    const etcd = reached.find(({ contender }) => contender.name === 'etcd')?.result
    etcdPeak = Math.max(etcdPeak, etcd?.perSecond ?? 0)
    return reached.map(({ contender, result }) => rowOf(kind, inFlight, { contender, result, etcd }))
  })
  return { rows, etcdPeak }
}

/** A server that was just started compiles as it goes: at one call in flight for longer than a slot lasts. */
async function learn(kind: Kind, contender: Contender, ms: number): Promise<void> {
  const { loader, store } = contender
  const inFlight = LEARNING_IN_FLIGHT
  await contender.wake()
  await loader.tell({ type: 'open', store: await store(), inFlight })
  await loader.tell({ type: 'load', kind, inFlight, ms })
  await loader.tell({ type: 'close' })
  contender.rest()
}

async function slot(
  kind: Kind,
  { loader, store, servers }: Contender,
  inFlight: number,
  milliseconds: number,
): Promise<Reached> {
  await loader.tell({ type: 'open', store: await store(), inFlight })
  const warmupMs = milliseconds * WARMUP_PART
  await loader.tell({ type: 'load', kind, inFlight, ms: warmupMs })
  const before = cpuSecondsOf(servers)
  const measureMs = milliseconds - warmupMs
  const { cpuMicros, ...result } = await loader.tell({ type: 'load', kind, inFlight, ms: measureMs })
  const serverSeconds = cpuSecondsOf(servers) - before
  await loader.tell({ type: 'close' })
  const operations = Math.max(1, (result.perSecond * measureMs) / 1000)
  return {
    ...result,
    serverMicros: (serverSeconds * 1e6) / operations,
    clientMicros: cpuMicros / operations,
  }
}

function medians(all: readonly Reached[]): Reached {
  const of = (pick: (one: Reached) => number): number => median(all.map(pick))
  return {
    perSecond: of((one) => one.perSecond),
    p50: of((one) => one.p50),
    p99: of((one) => one.p99),
    serverMicros: of((one) => one.serverMicros),
    clientMicros: of((one) => one.clientMicros),
  }
}

function rowOf(
  kind: Kind,
  inFlight: number,
  { contender, result, etcd }: { contender: Contender; result: Reached; etcd: Reached | undefined },
): Row {
  const isOurs = contender.name === '@lab'
  return {
    'in flight': String(inFlight),
    by: contender.name,
    [`${kind}/s`]: result.perSecond,
    'p50 ms': result.p50,
    'p99 ms': result.p99,
    'CPU µs, servers': result.serverMicros,
    'CPU µs, client': result.clientMicros,
    'resident MB': residentOf(contender.servers),
    ...(isOurs ? against(kind, inFlight, result, etcd) : { 'against etcd': '', goal: '' }),
  }
}

/** Beside the better of what etcd reached in this run and what it once reached with a client of its own kind. */
function against(kind: Kind, inFlight: number, result: Reached, etcd: Reached | undefined): Row {
  const once = recorded(RECORDED.etcd[kind], inFlight) ?? 0
  const best = Math.max(etcd?.perSecond ?? 0, once)
  const whose = best === once ? 'recorded' : 'this run'
  const zookeeper = recorded(RECORDED.zookeeper[kind], inFlight)
  const cpu = etcd === undefined ? '' : `, CPU ${(result.serverMicros / etcd.serverMicros).toFixed(2)} ×`
  const goal = GOALS[kind][inFlight]
  const wanted = [
    ...(goal === undefined ? [] : [`≥ ${String(goal)} ×`]),
    ...(zookeeper === undefined ? [] : [`> ${String(zookeeper)} of ZooKeeper`]),
    ...(kind === 'puts' && inFlight >= 256 ? [`CPU ≤ ${String(CPU_GOAL)} ×`] : []),
  ]
  return {
    'against etcd': `${(result.perSecond / best).toFixed(1)} × (${whose}: ${String(Math.round(best))})${cpu}`,
    goal: wanted.join(', '),
  }
}

/**
 * One kind of operation at several depths, all contenders in turn, in few and long turns: a load that goes on. Each has the machine to itself:
 * the servers of others are stopped meanwhile.
 */
import type { BenchmarkOptions, Row } from '../benchmark.ts'
import type { LoadResult } from '../cluster/load.ts'
import { cpuSecondsOf, residentOf } from '../cluster/server-process.ts'
import { median } from '../statistics.ts'
import type { Contender } from './contenders.ts'
import { RECORDED, recorded } from './recorded.ts'

export type Kind = 'puts' | 'gets'

export const IN_FLIGHT = [1, 16, 64, 256, 1000]
const TURNS = 2
const WARMUP_PART = 0.25
/**
 * A turn begins with so much of it at a load where what a program must learn is learnt soonest: a server of ours still becomes cheaper after
 * 400 000 puts, and what has not run for a while finds its memory cold.
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

/** One contender at one depth, its turns together. */
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
  const turn = milliseconds / (TURNS * contenders.length)
  const slotMs = (turn * (1 - LEARNING_PART)) / IN_FLIGHT.length
  const all = new Map(contenders.map((one) => [one, IN_FLIGHT.map((): Reached[] => [])]))
  for (let number = 1; number <= TURNS; number++)
    for (const [contender, reached] of all) {
      await contender.wake()
      await learn(kind, contender, turn * LEARNING_PART)
      for (const [at, inFlight] of IN_FLIGHT.entries())
        reached[at]?.push(await slot(kind, contender, inFlight, slotMs))
      contender.rest()
      log(`${contender.name}: turn ${String(number)} of ${String(TURNS)} done`)
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
async function learn(kind: Kind, { loader, store }: Contender, ms: number): Promise<void> {
  const inFlight = LEARNING_IN_FLIGHT
  await loader.tell({ type: 'open', store: await store(), inFlight })
  await loader.tell({ type: 'load', kind, inFlight, ms })
  await loader.tell({ type: 'close' })
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

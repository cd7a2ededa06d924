import { seededRandom, type Milliseconds, type Random } from '@lab/rpc'
import { hashText } from '../hash.ts'
import { FAULT_NAMES, drawFaults } from '../nemesis/swarm.ts'
import type { Fault, FaultName } from '../nemesis/fault.ts'
import type { Scenario } from './scenario.ts'

/**
 * A run, written down before it begins: whatever is not in it is chance of the seed. Equal plans give equal runs, and a
 * smaller plan (fewer faults, operations, nodes) is one that can be run just as well. JSON can hold it.
 */
export interface Plan<Op = unknown> {
  readonly scenario: string
  readonly seed: number
  readonly nodes: number
  readonly clients: number
  /** Servers that wait to be added; none when left out. */
  readonly spares?: number
  readonly durationMs: Milliseconds
  readonly faults: readonly Fault[]
  /** In the order of time. */
  readonly operations: readonly PlannedOperation<Op>[]
}

export interface PlannedOperation<Op = unknown> {
  readonly client: string
  /** When the client begins it; later when the one before has not returned. */
  readonly at: Milliseconds
  readonly op: Op
}

export interface PlanOptions {
  /** Instead of what the seed draws. */
  readonly nodes?: number
  readonly durationMs?: Milliseconds
  readonly operationsPerSecond?: number
  /** Without any faults. */
  readonly calm?: boolean
}

const DURATION_MS = 4000
/** A busy cluster and one that is nearly idle go wrong in different ways. */
const OPERATIONS_PER_SECOND = [10, 25, 50]

/** What the seed draws for a scenario. */
export function planOf<S, C, Op, R>(
  scenario: Scenario<S, C, Op, R>,
  seed: number,
  options: PlanOptions = {},
): Plan<Op> {
  const random = seededRandom(hashText(`${String(seed)} plan ${scenario.name}`))
  // Drawn also where it is given: the rest of the plan must not depend on that, or a failing seed would not fail when it is replayed.
  const drawn = oneOf(scenario.nodes ?? [3, 3, 5], random)
  const nodes = options.nodes ?? drawn
  const clients = oneOf(scenario.clients ?? [3, 4, 5], random)
  const durationMs = options.durationMs ?? scenario.durationMs ?? DURATION_MS
  const spares = options.calm === true ? 0 : (scenario.spares ?? 0)
  const faults =
    options.calm === true
      ? []
      : drawFaults({
          random: seededRandom(random.integer(0, 2 ** 31)),
          machines: [...nodeNames(nodes), ...spareNames(spares)],
          durationMs,
          among: faultsOf(scenario.faults ?? FAULT_NAMES, 'operate' in scenario),
          clockDriftMax: scenario.clockDriftMax,
          operateShare: scenario.operateShare,
          operateGapMs: scenario.operateGapMs,
        })
  const perSecond =
    options.operationsPerSecond ?? scenario.operationsPerSecond ?? oneOf(OPERATIONS_PER_SECOND, random)
  const operations = drawOperations(scenario, random, { clients, durationMs, perSecond })
  return {
    ...{ scenario: scenario.name, seed, nodes, clients, durationMs, faults, operations },
    ...(spares === 0 ? {} : { spares }),
  }
}

/** n1, n2, … */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `n${String(at + 1)}`)
}

/** s1, s2, … */
export function spareNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `s${String(at + 1)}`)
}

/** c1, c2, … */
export function clientNames(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `c${String(at + 1)}`)
}

function faultsOf(among: readonly FaultName[], isOperated: boolean): readonly FaultName[] {
  return isOperated ? among : among.filter((name) => name !== 'operate')
}

function drawOperations<S, C, Op, R>(
  scenario: Scenario<S, C, Op, R>,
  random: Random,
  load: { readonly clients: number; readonly durationMs: Milliseconds; readonly perSecond: number },
): PlannedOperation<Op>[] {
  if (scenario.draw === undefined || load.perSecond === 0) return []
  const clients = clientNames(load.clients)
  const gapMs = 1000 / load.perSecond
  const operations: PlannedOperation<Op>[] = []
  for (let at = random.next() * gapMs; at < load.durationMs; at += random.next() * 2 * gapMs) {
    const client = clients[random.integer(0, clients.length - 1)] as string
    const op = scenario.draw(random, { client, count: operations.length + 1 })
    operations.push({ client, at: Math.round(at * 1000) / 1000, op })
  }
  return operations
}

function oneOf(counts: readonly number[], random: Random): number {
  return counts[random.integer(0, counts.length - 1)] as number
}

/** One run: a plan carried out, watched at every step, healed, and judged. */
import { toError, type Milliseconds, type TraceEvent } from '@lab/rpc'
import { LineHash } from '../hash.ts'
import { History } from '../history/recorder.ts'
import type { Operation } from '../history/operation.ts'
import { checkLinearizable } from '../linearizability/check.ts'
import type { FaultKind } from '../nemesis/fault.ts'
import { Nemesis } from '../nemesis/nemesis.ts'
import { World } from '../world.ts'
import { Clients } from './clients.ts'
import { SimulationFailure } from './failure.ts'
import { nodeNames, spareNames, type Plan } from './plan.ts'
import type { Cluster, Scenario, Watcher } from './scenario.ts'
import { Servers } from './servers.ts'
import { withoutStackTraces } from './stack-traces.ts'

export interface RunOptions {
  /** Gets every event of the trace. */
  readonly onEvent?: (event: TraceEvent) => void
  /** Hashes the trace. */
  readonly hash?: boolean
  /** How long, in virtual time, a healed cluster may take to be well again. Default 20 s. */
  readonly healMs?: Milliseconds
}

/** What a run came to. */
export interface Report<Op = unknown, Result = unknown> {
  readonly plan: Plan<Op>
  /** Null when all held. */
  readonly failure: SimulationFailure | null
  /** Keys whose history was too hard to judge within the budget. */
  readonly undecided: readonly string[]
  readonly operations: readonly Operation<Op, Result>[]
  /** Virtual time that passed. */
  readonly simulatedMs: Milliseconds
  readonly steps: number
  /** Events of the trace; 0 when nobody looked. */
  readonly events: number
  /** Of the trace, 16 digits; '' unless asked for. */
  readonly hash: string
}

const HEAL_MS = 20_000

/** Carries out `plan`. Never rejects: what goes wrong is the report's `failure`. */
export async function runPlan<S, C, Op, R>(
  scenario: Scenario<S, C, Op, R>,
  plan: Plan<Op>,
  options: RunOptions = {},
): Promise<Report<Op, R>> {
  const run = new Run(scenario, plan, options)
  let failure: SimulationFailure | null = null
  try {
    // Who looks closely gets stack traces, too.
    if (options.onEvent === undefined) await withoutStackTraces(() => run.carryOut())
    else await run.carryOut()
  } catch (thrown) {
    failure = SimulationFailure.of(toError(thrown), run.phase, run.world.now)
  }
  return run.report(failure)
}

class Run<S, C, Op, R> {
  readonly world: World
  /** Where a failure belongs. */
  phase: 'start' | 'faults' | 'healing' | 'judging' = 'start'
  readonly #scenario: Scenario<S, C, Op, R>
  readonly #plan: Plan<Op>
  readonly #options: RunOptions
  readonly #watcher: Watcher<Op, R>
  readonly #servers: Servers<S>
  readonly #clients: Clients<C, Op, R>
  readonly #history: History<Op, R>
  readonly #cluster: Cluster
  readonly #joins = new Set<string>()
  #nemesis: Nemesis | null = null
  readonly #hash = new LineHash()
  #undecided: readonly string[] = []
  #events = 0
  /** What an invariant said of an event, thrown at the end of the step. */
  #broken: Error | null = null

  constructor(scenario: Scenario<S, C, Op, R>, plan: Plan<Op>, options: RunOptions) {
    this.#scenario = scenario
    this.#plan = plan
    this.#options = options
    const nodes = nodeNames(plan.nodes)
    const spares = spareNames(plan.spares ?? 0)
    const addresses = nodes.map((node) => `memory://${node}`)
    for (const spare of spares) this.#joins.add(spare)
    const cluster = { nodes, addresses, spares, joins: this.#joins }
    this.#cluster = cluster
    const servers = new Map<string, S>()
    this.#watcher = scenario.watch?.({ cluster, servers }) ?? {}
    const messages = options.onEvent !== undefined || options.hash === true
    const looks = messages || this.#watcher.event !== undefined
    this.world = new World({
      seed: plan.seed,
      ...(looks ? { messages, onEvent: (event: TraceEvent) => this.#event(event) } : {}),
      onStep: () => this.#step(),
      onEnd: (machine, end) => this.#servers.ended(machine, end),
    })
    const { world } = this
    this.#history = new History<Op, R>(world.clock, {
      called: ({ client, id, op }) => void world.trace?.({ n: client, k: 'call', id, op }),
      returned: ({ client, id, outcome, result }) =>
        void world.trace?.({ n: client, k: 'return', id, outcome, result }),
    })
    this.#servers = new Servers({
      ...{ world, scenario, cluster, servers },
      onEnd: (node) => this.#watcher.ended?.(node),
    })
    this.#clients = new Clients({ world, scenario, cluster, plan, history: this.#history })
  }

  async carryOut(): Promise<void> {
    const { world } = this
    const { durationMs, faults } = this.#plan
    this.#servers.startAll()
    this.#nemesis = new Nemesis({
      world,
      machines: [...this.#cluster.nodes, ...this.#cluster.spares],
      leader: () => this.#scenario.leader?.(this.#servers.running) ?? null,
      start: (node) => this.#servers.start(node),
      operate: (draw) => this.#operate(draw),
    })
    const working = this.#clients.work()
    this.phase = 'faults'
    this.#nemesis.schedule(faults)
    await world.advance(durationMs)
    this.phase = 'healing'
    this.#nemesis.heal()
    this.#servers.startAll()
    await this.#heal(working)
    this.phase = 'judging'
    this.#watcher.end?.(this.#history.operations)
    this.#judge()
  }

  #operate(draw: number): void {
    const wipe = (node: string): void => {
      this.world.machine(node).wipe()
      this.#joins.add(node)
      this.#servers.start(node)
    }
    const { clock } = this.world
    const { running: servers } = this.#servers
    const strike = (kind: FaultKind, forMs: Milliseconds): (() => void) =>
      this.#nemesis?.strike(kind, forMs) ?? (() => undefined)
    this.#scenario.operate?.(draw, { cluster: this.#cluster, servers, clock, wipe, strike })
  }

  report(failure: SimulationFailure | null): Report<Op, R> {
    return {
      plan: this.#plan,
      failure,
      undecided: this.#undecided,
      operations: this.#history.operations,
      simulatedMs: this.world.now,
      steps: this.world.steps,
      events: this.#events,
      hash: this.#options.hash === true ? this.#hash.digest : '',
    }
  }

  /** Liveness: with the faults gone, what clients have begun must end, and the watcher must find all well. */
  async #heal(working: Promise<void>): Promise<void> {
    const limitMs = this.#options.healMs ?? HEAL_MS
    let isIdle = false
    working.then(
      () => {
        isIdle = true
      },
      (thrown: unknown) => {
        this.#broken ??= toError(thrown)
      },
    )
    const isWell = (): boolean => isIdle && (this.#watcher.hasConverged?.() ?? true)
    try {
      await this.world.run(isWell, limitMs)
    } catch (thrown) {
      if (this.#broken !== null || isWell()) throw thrown
      const why = isIdle ? 'the servers have not come to agree' : 'clients still wait for answers'
      throw new SimulationFailure('liveness', `${String(limitMs / 1000)} s after the last fault ${why}`, {
        cause: thrown,
      })
    }
  }

  #judge(): void {
    const { model } = this.#scenario
    if (model === undefined) return
    const { counterExample, undecided } = checkLinearizable(model, this.#history.operations)
    this.#undecided = undecided
    if (counterExample === null) return
    const lines = counterExample.operations.map(({ client, op, result, outcome }) => {
      const what = model.describe?.(op, result) ?? `${JSON.stringify(op)} → ${JSON.stringify(result)}`
      return `  ${client}: ${what}${outcome === 'unknown' ? ' (unknown)' : ''}`
    })
    const message = `not linearizable: no order explains these operations on ${counterExample.key || 'the state'}`
    throw new SimulationFailure('linearizability', [message, ...lines].join('\n'))
  }

  #event(event: TraceEvent): void {
    this.#events++
    if (this.#options.hash === true) this.#hash.add(JSON.stringify(event))
    this.#options.onEvent?.(event)
    try {
      this.#watcher.event?.(event)
    } catch (thrown) {
      // Thrown here it would end up in the server that told of the event.
      this.#broken ??= toError(thrown)
    }
  }

  #step(): void {
    if (this.#broken !== null) throw this.#broken
    this.#watcher.step?.()
  }
}

import { sleep } from '@lab/rpc'
import type { History } from '../history/recorder.ts'
import type { World } from '../world.ts'
import { clientNames, type Plan, type PlannedOperation } from './plan.ts'
import type { Cluster, Scenario } from './scenario.ts'

export interface ClientsOptions<C, Op, R> {
  readonly world: World
  readonly scenario: Pick<Scenario<unknown, C, Op, R>, 'connect' | 'perform' | 'outcomeOf'>
  readonly cluster: Cluster
  readonly plan: Plan<Op>
  readonly history: History<Op, R>
}

/** Clients that do what the plan says, each one thing after the other. */
export class Clients<C, Op, R> {
  readonly #options: ClientsOptions<C, Op, R>

  constructor(options: ClientsOptions<C, Op, R>) {
    this.#options = options
  }

  /** Resolves when all have done all. */
  async work(): Promise<void> {
    const { plan, scenario } = this.#options
    if (scenario.connect === undefined) return
    const names = clientNames(plan.clients)
    await Promise.all(
      names.map((name) => {
        const own = plan.operations.filter(({ client }) => client === name)
        return own.length === 0 ? Promise.resolve() : this.#work(name, own)
      }),
    )
  }

  async #work(name: string, operations: readonly PlannedOperation<Op>[]): Promise<void> {
    const { world, scenario, cluster, history } = this.#options
    const host = world.add(name).boot()
    const client = await this.#connect(() => scenario.connect?.(host, cluster))
    for (const { at, op } of operations) {
      if (at > world.now) await sleep(world.clock, at - world.now)
      await history.record(
        name,
        op,
        () => scenario.perform?.(client, op) ?? Promise.reject(new Error('the scenario has no perform()')),
        scenario.outcomeOf ?? outcomeOf,
      )
    }
  }

  /** Servers may be down when a client comes. */
  async #connect(connect: () => Promise<C> | undefined): Promise<C> {
    for (;;) {
      try {
        return (await connect()) as C
      } catch {
        await sleep(this.#options.world.clock, 200)
      }
    }
  }
}

/** What errors of our packages say of themselves; whoever says nothing may have done anything. */
function outcomeOf(thrown: unknown): 'fail' | 'unknown' {
  return (thrown as { readonly outcome?: unknown } | null)?.outcome === 'not-applied' ? 'fail' : 'unknown'
}

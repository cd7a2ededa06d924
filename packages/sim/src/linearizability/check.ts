/** Is a history linearizable? Key by key, within a budget, and if not, why not. */
import type { Operation } from '../history/operation.ts'
import { smallest } from './counter-example.ts'
import type { Model } from './model.ts'
import { search, type Verdict } from './search.ts'

export interface CheckOptions {
  /** Steps of the model for each key, and for each attempt to make a counter-example smaller. Default: two million. */
  readonly budget?: number
}

export interface CheckResult<Op = unknown, Result = unknown> {
  /** `unknown`: the budget was used up before there was an answer. */
  readonly verdict: Verdict
  /** How many keys were judged, and how many operations. */
  readonly keys: number
  readonly operations: number
  /** Steps of the model that it took. */
  readonly steps: number
  /** When the answer is no: operations of one key that have no explanation, none of which can be left out. */
  readonly counterExample: {
    readonly key: string
    readonly operations: readonly Operation<Op, Result>[]
  } | null
  /** Keys for which the budget was not enough. */
  readonly undecided: readonly string[]
}

const BUDGET = 2_000_000

/**
 * Holds a history against a model: did every operation take effect at one moment between its call and its return? An
 * operation that failed had no effect; one of unknown outcome may have had one at any time since its call, or none.
 */
export function checkLinearizable<S, O, R>(
  model: Model<S, O, R>,
  history: readonly Operation<O, R>[],
  { budget = BUDGET }: CheckOptions = {},
): CheckResult<O, R> {
  const keys = partition(model, history)
  const undecided: string[] = []
  let steps = 0
  for (const [key, all] of keys) {
    const operations = withoutUnseen(model, all)
    const searched = search(model, operations, budget)
    steps += searched.steps
    if (searched.verdict === 'unknown') undecided.push(key)
    if (searched.verdict !== 'no') continue
    const counterExample = { key, operations: smallest(model, operations, budget) }
    return { verdict: 'no', keys: keys.size, operations: history.length, steps, counterExample, undecided }
  }
  const verdict = undecided.length > 0 ? 'unknown' : 'yes'
  return { verdict, keys: keys.size, operations: history.length, steps, counterExample: null, undecided }
}

function partition<S, O, R>(
  model: Model<S, O, R>,
  history: readonly Operation<O, R>[],
): Map<string, Operation<O, R>[]> {
  const keys = new Map<string, Operation<O, R>[]>()
  for (const operation of history) {
    if (operation.outcome === 'fail') continue
    // A read whose answer nobody got says nothing.
    if (operation.outcome === 'unknown' && model.isRead?.(operation.op) === true) continue
    const key = model.key?.(operation.op) ?? ''
    const known = keys.get(key)
    if (known === undefined) keys.set(key, [operation])
    else known.push(operation)
  }
  return keys
}

/**
 * One of unknown outcome whose effect nobody could tell need not have happened: there is an explanation with it just when there is one
 * without it. Left in, each multiplies the orders that must be tried.
 */
function withoutUnseen<S, O, R>(model: Model<S, O, R>, operations: Operation<O, R>[]): Operation<O, R>[] {
  const isSeen = (one: Operation<O, R>): boolean =>
    model.removable?.(
      one,
      operations.filter((other) => other !== one),
    ) !== true
  return operations.filter((one) => one.outcome !== 'unknown' || isSeen(one))
}

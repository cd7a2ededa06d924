import type { Operation } from '../history/operation.ts'
import type { Model } from './model.ts'
import { search } from './search.ts'

/**
 * Makes a history without an explanation smaller as long as it has none: first everything after the first return that has no
 * explanation goes, then whatever the model lets go, one at a time until nothing more does.
 */
export function smallest<S, O, R>(
  model: Model<S, O, R>,
  operations: readonly Operation<O, R>[],
  budget: number,
): readonly Operation<O, R>[] {
  const isBroken = (part: readonly Operation<O, R>[]): boolean => search(model, part, budget).verdict === 'no'
  let left = shortestPrefix(operations, isBroken)
  for (let before = -1; before !== left.length;) {
    before = left.length
    for (const operation of [...left]) {
      const others = left.filter((other) => other !== operation)
      const goes = model.isRead?.(operation.op) === true || model.removable?.(operation, others) === true
      if (goes && isBroken(others)) left = others
    }
  }
  return left
}

/** What had been called when the first return came that cannot be explained; what had not returned by then is unknown. */
function shortestPrefix<O, R>(
  operations: readonly Operation<O, R>[],
  isBroken: (part: readonly Operation<O, R>[]) => boolean,
): readonly Operation<O, R>[] {
  const returns = operations
    .map((operation) => operation.return)
    .filter((time) => time !== Infinity)
    .sort((a, b) => a - b)
  let low = 0
  let high = returns.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (isBroken(until(operations, returns[middle] as number))) high = middle
    else low = middle + 1
  }
  const prefix = until(operations, returns[low] ?? Infinity)
  return isBroken(prefix) ? prefix : operations
}

function until<O, R>(operations: readonly Operation<O, R>[], time: number): Operation<O, R>[] {
  return operations
    .filter(({ call }) => call <= time)
    .map((operation) =>
      operation.return <= time
        ? operation
        : { ...operation, return: Infinity, outcome: 'unknown', result: undefined },
    )
}

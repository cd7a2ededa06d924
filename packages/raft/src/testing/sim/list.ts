import { mustHold, type Operation, type Scenario } from '@lab/sim'
import type { RaftClient } from '../../client.ts'
import { stateMachine, type JsonStateMachine } from '../../shorthand.ts'
import { raftScenario, type RaftServer } from './scenario.ts'

/** Puts `item` at the end of the list; the result is how many there are then, itself included. */
export interface Add {
  readonly item: string
}

export type ListMachine = JsonStateMachine<{ readonly items: string[] }, Add, number, never, unknown>

/**
 * The scenario `raft`: clients put items into one list. The result of each call says where its item stands, so that at the end the
 * list itself tells whether anything was lost, doubled, or took effect in an order that nobody could have seen.
 */
export function listScenario(): Scenario<RaftServer<ListMachine>, RaftClient<Add, number>, Add, number> {
  return raftScenario<ListMachine, Add>({
    name: 'raft',
    stateMachine: () =>
      stateMachine({
        initial: { items: [] as string[] },
        apply: ({ items }, { item }: Add) => items.push(item),
      }),
    draw: (_random, { client, count }) => ({ item: `${client}.${String(count)}` }),
    digest: ({ state }) => state.items.join(),
    judge: ({ state }, operations) => judge(state.items, operations),
  })
}

/** Exactly once, where the client was told, and in an order that respects time. */
function judge(items: readonly string[], operations: readonly Operation<Add, number>[]): void {
  const places = new Map<string, number>()
  items.forEach((item, at) => {
    mustHold(!places.has(item), `${item} took effect twice`)
    places.set(item, at + 1)
  })
  for (const { op, outcome, result } of operations) {
    const place = places.get(op.item)
    if (outcome === 'ok')
      mustHold(
        place === result,
        `${op.item} was acknowledged as number ${String(result)} and is ${String(place)}`,
      )
    if (outcome === 'fail') mustHold(place === undefined, `${op.item} was said to have failed and is there`)
  }
  inOrder(operations.map((operation) => ({ ...operation, place: places.get(operation.op.item) })))
}

/** What had returned before another was called stands before it. */
function inOrder(
  operations: readonly (Operation<Add, number> & { readonly place: number | undefined })[],
): void {
  const placed = operations.flatMap((operation) =>
    operation.place === undefined ? [] : [{ ...operation, place: operation.place }],
  )
  const byPlace = [...placed].sort((a, b) => b.place - a.place)
  // From the end of the list: whatever stands before must have been called before all that stand behind it had returned.
  let earliestReturn = Infinity
  let of = ''
  for (const { op, call, return: end } of byPlace) {
    mustHold(call <= earliestReturn, `${of} had returned before ${op.item} was called, and stands behind it`)
    if (end < earliestReturn) of = op.item
    earliestReturn = Math.min(earliestReturn, end)
  }
}

/** How long a store's requests took, by operation and outcome: what {@link NodeMetrics} tells, in the store's own words. */
import type { Distribution, NodeMetrics, RequestDurations } from '@lab/raft'
import { CommandKind } from './commands.ts'
import { QueryKind } from './queries.ts'

export interface OperationDurations {
  /** `put`, `get`, …; `session`: a client began; `other`: nothing that this version knows. */
  readonly operation: string
  /** `ok`: there is an answer, be it that a comparison was lost. Otherwise the code of the error. */
  readonly outcome: string
  readonly ms: Distribution
}

const OPERATIONS: Readonly<Record<RequestDurations['type'], ReadonlyMap<number | null, string>>> = {
  command: byNumber(CommandKind).set(CommandKind.putWithTtl, 'put'),
  query: byNumber(QueryKind),
  session: new Map([[null, 'session']]),
}

const NONE: ReadonlyMap<number | null, string> = new Map()

/**
 * One of each operation and outcome that there was.
 *
 * @param more names for commands that are not the store's, by number
 */
export function operationDurations(
  { requests }: Pick<NodeMetrics, 'requests'>,
  more: ReadonlyMap<number | null, string> = NONE,
): OperationDurations[] {
  const all = new Map<string, OperationDurations>()
  for (const { type, firstByte, outcome, ms } of requests) {
    const operation =
      OPERATIONS[type].get(firstByte) ?? (type === 'command' ? more.get(firstByte) : undefined) ?? 'other'
    const name = `${operation} ${outcome}`
    const before = all.get(name)
    all.set(name, { operation, outcome, ms: before === undefined ? ms : sum(before.ms, ms) })
  }
  return [...all.values()]
}

/** Of two with the same bounds. */
function sum(one: Distribution, other: Distribution): Distribution {
  return {
    bounds: one.bounds,
    counts: one.counts.map((count, i) => count + (other.counts[i] ?? 0)),
    count: one.count + other.count,
    sum: one.sum + other.sum,
  }
}

function byNumber(kinds: Readonly<Record<string, number>>): Map<number | null, string> {
  return new Map(Object.entries(kinds).map(([name, number]) => [number, name]))
}

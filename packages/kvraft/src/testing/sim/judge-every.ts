/**
 * Judges all that clients of `kv-all` saw. Revisions number the changes of the store, so they are an order of everything: what is
 * left to check is that each result fits its revision, and that the order respects time. That needs no search.
 */
import { checkLinearizable, kvModel, mustHold, type KvOp, type KvResult, type Operation } from '@lab/sim'
import { isPlain, type EveryOp, type EveryResult, type TextEntry } from './every-op.ts'
import { placeOf, type Place } from './judge-results.ts'
import { judgeWatch } from './judge-watch.ts'
import { Timeline, type Change } from './timeline.ts'

type Done = Operation<EveryOp, EveryResult>

export interface Evidence {
  /** Of a server that is up to date, all. */
  readonly changes: readonly Change[]
  readonly operations: readonly Done[]
  /** What each `cas` found before it was sent. */
  readonly found: WeakMap<EveryOp, TextEntry | null>
  /** Somebody has set a clock, or made it run faster: keys may expire at any time. */
  readonly clocksLie: boolean
}

/** @throws {SimulationFailure} saying what is wrong */
export function judgeEvery(evidence: Evidence): void {
  const { operations, clocksLie } = evidence
  const timeline = new Timeline(evidence.changes)
  const placed: (Place & Pick<Done, 'op' | 'client' | 'call' | 'return'>)[] = []
  for (const operation of operations) {
    if (operation.outcome !== 'ok') continue
    const place = placeOf(timeline, { ...operation, outcome: 'ok' })
    if (place !== null) placed.push({ ...operation, ...place })
  }
  for (const operation of operations)
    if (operation.op.op === 'watch') judgeWatch(timeline, operation, operations)
  const writers = judgeWriters(timeline, operations)
  respectTime(placed)
  if (!clocksLie) judgeExpiry(timeline, operations, writers)
  judgePlain(evidence)
}

/** Each change by a client was asked for, once, and by nobody who was told that it failed. @returns who, by value */
function judgeWriters(timeline: Timeline, operations: readonly Done[]): Map<string, Done> {
  const asked = new Map<string, Done>()
  for (const operation of operations) for (const value of valuesOf(operation.op)) asked.set(value, operation)
  const seen = new Set<string>()
  for (const { type, value, revision } of timeline.changes) {
    if (type === 'delete' || type === 'expire') continue
    const operation = asked.get(value)
    mustHold(operation !== undefined, `revision ${String(revision)} writes ${value}, which nobody asked for`)
    mustHold(!seen.has(value), `${value} took effect twice, the second time at revision ${String(revision)}`)
    mustHold(operation?.outcome !== 'fail', `${value} was said to have failed and is there`)
    // What was unknown when its client gave up may come later, but not before it was asked.
    seen.add(value)
  }
  return asked
}

function valuesOf(op: EveryOp): string[] {
  if (op.op === 'txn')
    return [...op.then, ...op.else].flatMap((one) => ('value' in one ? [String(one.value)] : []))
  return 'value' in op ? [op.value] : []
}

/** What had returned before another was called stands before it. */
function respectTime(placed: readonly (Place & Pick<Done, 'op' | 'client' | 'call' | 'return'>)[]): void {
  const byReturn = [...placed].sort((a, b) => a.return - b.return)
  let next = 0
  let newest: (typeof placed)[number] | null = null
  for (const operation of [...placed].sort((a, b) => a.call - b.call)) {
    for (let one = byReturn[next]; one !== undefined && one.return < operation.call; one = byReturn[++next])
      if (one.last > (newest?.last ?? -1)) newest = one
    // A read may see what the earlier one saw; a write comes after it, whole.
    const sees = operation.first > operation.last ? operation.last : operation.first - 1
    mustHold(
      newest === null || sees >= newest.last,
      `${operation.client}'s ${operation.op.op} stands at revision ${String(sees)}, ` +
        `and was called after ${newest?.client ?? ''}'s ${newest?.op.op ?? ''} had returned at ${String(newest?.last)}`,
    )
  }
}

/** Nobody sees a key gone before its time, counted from when somebody asked for it to be put. */
function judgeExpiry(
  timeline: Timeline,
  operations: readonly Done[],
  writers: ReadonlyMap<string, Done>,
): void {
  for (const { type, key, revision } of timeline.changes) {
    if (type !== 'expire') continue
    const put = timeline.changes.findLast(
      (one) => one.key === key && one.revision < revision && one.type === 'put',
    )
    const asked = writers.get(put?.value ?? '')
    const ttl = asked?.op.op === 'put' ? asked.op.ttl : undefined
    mustHold(ttl !== undefined, `${key} expired at revision ${String(revision)}, and was to stay`)
    const due = (asked?.call ?? 0) + (ttl ?? 0) - 1 // Log time counts whole milliseconds.
    const seen = Math.min(...operations.map((operation) => whenKnown(operation, revision)))
    mustHold(seen >= due, `${key} was gone at ${String(seen)}, and was to stay until ${String(due)}`)
  }
}

/** When this operation's client knew that the store was at `revision`. */
function whenKnown({ outcome, result, return: end }: Done, revision: number): number {
  if (outcome !== 'ok' || result === null || result === undefined) return Infinity
  if ('told' in result) return result.told.find((one) => one.revision >= revision)?.at ?? Infinity
  return result.revision >= revision ? end : Infinity
}

/** Keys that only single operations touch, again, by the search of Wing and Gong, which knows nothing of revisions. */
function judgePlain({ operations, found }: Evidence): void {
  const plain = operations.flatMap((operation) => {
    const { op } = operation
    if (!('key' in op) || !isPlain(op.key)) return []
    const before = found.get(op)
    if (op.op === 'cas' && before === undefined) return [] // It was never sent.
    const asKv: KvOp = op.op === 'cas' ? { ...op, expected: before?.value ?? null } : op
    const known = { ...operation, op: asKv, result: resultOf(operation) }
    return [known satisfies Operation<KvOp, KvResult>]
  })
  const { counterExample, undecided } = checkLinearizable(kvModel, plain)
  mustHold(undecided.length === 0, `nobody can tell of the keys ${undecided.join(', ')}`)
  const lines = counterExample?.operations.map(
    ({ client, op, result }) => `${client}: ${kvModel.describe?.(op, result) ?? ''}`,
  )
  mustHold(lines === undefined, ['no order explains', ...(lines ?? [])].join('\n  '))
}

function resultOf({ outcome, result }: Done): KvResult | undefined {
  if (outcome !== 'ok' || result === null || result === undefined) return undefined
  if ('entry' in result) return result.entry?.value ?? null
  return 'swapped' in result ? result.swapped : null
}

/** Is what one operation returned what the store was like at its revision? */
import { mustHold, type Operation } from '@lab/sim'
import type { EveryOp, EveryResult, TextEntry, TextTxn, TxnText } from './every-op.ts'
import type { Change, Contents, Timeline } from './timeline.ts'

/** Where an operation stands in the order of revisions. */
export interface Place {
  /** Its first change; one past `last` when it changed nothing. */
  readonly first: number
  /** The revision that it saw, its own changes included. */
  readonly last: number
}

type Result = NonNullable<EveryResult>
type Done = Operation<EveryOp, EveryResult> & { readonly outcome: 'ok' }

/** @returns null for what has no place: watches, and what is no business of the store @throws when it is not so */
export function placeOf(timeline: Timeline, { op, result, client }: Done): Place | null {
  if (result === null || result === undefined) return null
  const { revision } = result
  const state = timeline.at(revision)
  const who = `${client}'s ${op.op}${'key' in op ? ` of ${op.key}` : ''} at revision ${String(revision)}`
  const read = { first: revision + 1, last: revision }
  const write = { first: revision, last: revision }
  const same = (told: unknown, is: unknown): void => {
    const [a, b] = [JSON.stringify(told), JSON.stringify(is)]
    mustHold(a === b, `${who} was told ${a}, and it was ${b}`)
  }
  switch (op.op) {
    case 'get':
      same(field(result, 'entry'), state.get(op.key) ?? null)
      return read
    case 'put':
    case 'append':
      same(changed(timeline, revision), [op.op, op.key, op.value, field(result, 'version')])
      return write
    case 'delete':
      if (field(result, 'deleted') !== true) same(null, state.get(op.key) ?? null)
      else same(changed(timeline, revision), ['delete', op.key, '', 0])
      return field(result, 'deleted') === true ? write : read
    case 'cas': {
      const before = (field(result, 'found') as TextEntry | null)?.changed ?? 0
      const swapped = field(result, 'swapped') === true
      const found = timeline.at(swapped ? revision - 1 : revision).get(op.key)?.changed ?? 0
      mustHold(
        swapped === (found === before),
        `${who} expected ${String(before)} and met ${String(found)}: ${String(swapped)}`,
      )
      if (swapped) same(changed(timeline, revision).slice(0, 3), ['put', op.key, op.value])
      return swapped ? write : read
    }
    case 'scan':
      same([field(result, 'page'), field(result, 'more')], pageOf(state, op.limit))
      return read
    case 'txn':
      return txnPlace(timeline, op, result as Extract<Result, { succeeded: boolean }>, who)
    case 'watch':
    case 'transfer':
    case 'demote':
    case 'promote':
      return null
  }
}

function field(result: Result, name: string): unknown {
  return (result as unknown as Readonly<Record<string, unknown>>)[name]
}

function changed(timeline: Timeline, revision: number): unknown[] {
  const change = timeline.change(revision)
  return change === undefined ? [] : [change.type, change.key, change.value, change.version]
}

function pageOf(state: Contents, limit: number): readonly [unknown, boolean] {
  const sorted = [...state].sort(([a], [b]) => (a < b ? -1 : 1))
  return [sorted.slice(0, limit), sorted.length > limit]
}

/** Runs the transaction on what there was before it, and compares its results and each of its changes. */
function txnPlace(
  timeline: Timeline,
  txn: TextTxn,
  { revision, succeeded, results }: Extract<Result, { succeeded: boolean }>,
  who: string,
): Place {
  const changes = results.filter((one) => typeof one === 'number').length
  const state = new Map(timeline.at(revision - changes))
  const holds = txn.if.every((condition) => isSo(condition, state.get(condition.key)))
  mustHold(
    holds === succeeded,
    `${who} says ${String(succeeded)}, and its conditions ${holds ? 'held' : 'did not'}`,
  )
  let at = revision - changes
  const expected = (holds ? txn.then : txn.else).map((operation): TxnText => {
    const { key, op } = operation
    const before = state.get(key) ?? null
    if (op === 'get') return { got: before }
    if (op === 'delete' && before === null) return null
    at++
    const version = op === 'delete' ? 0 : (before?.version ?? 0) + 1
    const value = 'value' in operation ? String(operation.value) : ''
    const change: Change = { type: op, revision: at, version, key, value }
    mustHold(
      sameChange(timeline.change(at), change),
      `${who}: revision ${String(at)} is not its ${op} of ${key}`,
    )
    if (op === 'delete') state.delete(key)
    else
      state.set(key, { value: (op === 'append' ? (before?.value ?? '') : '') + value, version, changed: at })
    return version
  })
  const [a, b] = [JSON.stringify(results), JSON.stringify(expected)]
  mustHold(a === b, `${who} was told ${a}, and it was ${b}`)
  return { first: revision - changes + 1, last: revision }
}

function isSo(condition: TextTxn['if'][number], entry: TextEntry | undefined): boolean {
  const version = entry?.version ?? 0
  if ('exists' in condition) return condition.exists === version > 0
  const to = 'version' in condition ? condition.version : 0
  if (condition.is === 'less') return version < to
  return condition.is === 'greater' ? version > to : version === to
}

export function sameChange(one: Change | undefined, other: Change): boolean {
  const fields = ['type', 'revision', 'version', 'key', 'value'] as const
  return fields.every((name) => one?.[name] === other[name])
}

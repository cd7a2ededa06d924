/** Transactions as a user gives them. */
import { KvError } from './errors.ts'
import { TXN_PARTS_MAX } from './limits.ts'
import { checkTtl, keyBytes, valueBytes, type TextOrBytes } from './text.ts'
import { hasTwice } from './compare-bytes.ts'
import type { Comparison, Operation, Relation, Txn } from './txn.ts'

/** If all conditions hold, `then` is done, else `else`; nothing comes in between. At most 128 of each. */
export interface TxnRequest {
  readonly if?: readonly TxnCondition[]
  readonly then?: readonly TxnOperation[]
  readonly else?: readonly TxnOperation[]
}

/**
 * What must be so. `version` is the key's own count, 0 for a missing one; `changed` the store's revision at its last change; both
 * and `value` may be compared otherwise than for equality with `is`.
 */
export type TxnCondition = { readonly key: TextOrBytes } & (
  | { readonly exists: boolean }
  | { readonly version: number; readonly is?: Relation }
  | { readonly changed: number; readonly is?: Relation }
  | { readonly value: TextOrBytes; readonly is?: Relation }
)

/** They are done in order, each sees those before. One branch changes each key at most once. */
export type TxnOperation =
  | { readonly op: 'get' | 'delete'; readonly key: TextOrBytes }
  | { readonly op: 'put'; readonly key: TextOrBytes; readonly value: TextOrBytes; readonly ttl?: number }
  | { readonly op: 'append'; readonly key: TextOrBytes; readonly value: TextOrBytes }

/** @throws {KvError} `BAD_TXN`, `BAD_KEY`, `BAD_TTL`, `TOO_LARGE` */
export function txnOf(request: TxnRequest): Txn {
  const { if: conditions = [], then = [], else: otherwise = [] } = request
  return {
    op: 'txn',
    compare: checkCount(conditions).map(comparisonOf),
    then: branchOf(then),
    otherwise: branchOf(otherwise),
  }
}

function comparisonOf(condition: TxnCondition): Comparison {
  const key = keyBytes(condition.key)
  if ('exists' in condition) return { key, of: 'version', is: condition.exists ? 'greater' : 'equal', to: 0 }
  const { is = 'equal' } = condition
  if ('version' in condition) return { key, of: 'version', is, to: checkNumber(condition.version) }
  if ('changed' in condition) return { key, of: 'changed', is, to: checkNumber(condition.changed) }
  return { key, of: 'value', is, to: valueBytes(condition.value) }
}

function branchOf(operations: readonly TxnOperation[]): Operation[] {
  const branch = checkCount(operations).map(operationOf)
  const changed = branch.filter(({ op }) => op !== 'get').map(({ key }) => key)
  if (hasTwice(changed)) throw badTxn('a transaction changes each key at most once')
  return branch
}

function operationOf(operation: TxnOperation): Operation {
  const key = keyBytes(operation.key)
  switch (operation.op) {
    case 'get':
    case 'delete':
      return { op: operation.op, key }
    case 'append':
      return { op: 'append', key, value: valueBytes(operation.value) }
    case 'put': {
      const value = valueBytes(operation.value)
      return operation.ttl === undefined
        ? { op: 'put', key, value }
        : { op: 'put', key, value, ttl: checkTtl(operation.ttl) }
    }
  }
}

function checkCount<T>(parts: readonly T[]): readonly T[] {
  if (parts.length > TXN_PARTS_MAX)
    throw badTxn(
      `a transaction has up to ${String(TXN_PARTS_MAX)} conditions, and operations in each branch, not ${String(parts.length)}`,
    )
  return parts
}

function checkNumber(number: number): number {
  if (!Number.isSafeInteger(number) || number < 0)
    throw badTxn(`a version or a revision is a whole number from 0 on, not ${String(number)}`)
  return number
}

function badTxn(message: string): KvError {
  return new KvError('BAD_TXN', message, { outcome: 'not-applied' })
}

/** Applies a transaction: all of a branch, or nothing when a part of it breaks a limit. */
import { compareBytes } from './compare-bytes.ts'
import type { Contents } from './contents.ts'
import { EventKind } from './events.ts'
import { TXN_READ_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts'
import { NO_RECORD, type Pair, type RecordNumber } from './memory/records.ts'
import type { OperationResult, Result } from './results.ts'
import type { Comparison, Operation, Relation, Txn } from './txn.ts'

export function runTxn(contents: Contents, { compare, then, otherwise }: Txn): Result {
  const succeeded = compare.every((comparison) => holds(contents, comparison))
  const branch = succeeded ? then : otherwise
  const valueBytes = bytesTooMany(contents, branch)
  if (valueBytes > 0) return { status: 'too-large', revision: contents.revision, valueBytes }
  const results = branch.map((operation) => run(contents, operation))
  return { status: 'txn', revision: contents.revision, succeeded, results }
}

function holds(contents: Contents, { key, is, ...comparison }: Comparison): boolean {
  const record = find(contents, key)
  const { records } = contents.table
  switch (comparison.of) {
    case 'version':
      return relates((record === NO_RECORD ? 0 : records.version(record)) - comparison.to, is)
    case 'changed':
      return relates((record === NO_RECORD ? 0 : records.changed(record)) - comparison.to, is)
    case 'value':
      if (record === NO_RECORD) return is === 'unequal'
      return relates(compareBytes(contents.table.value(record), comparison.to), is)
  }
}

function relates(difference: number, is: Relation): boolean {
  switch (is) {
    case 'equal':
      return difference === 0
    case 'unequal':
      return difference !== 0
    case 'less':
      return difference < 0
    case 'greater':
      return difference > 0
  }
}

/** @returns the size of the value, or of all values read, that breaks a limit; 0 when none does */
function bytesTooMany(contents: Contents, branch: readonly Operation[]): number {
  let read = 0
  for (const [at, operation] of branch.entries()) {
    // Others neither read nor grow a value.
    if (operation.op !== 'append' && operation.op !== 'get') continue
    const before = lengthBefore(contents, branch, at)
    if (operation.op === 'append' && before + operation.value.length > VALUE_BYTES_MAX)
      return before + operation.value.length
    if (operation.op === 'get') read += before
  }
  return read > TXN_READ_BYTES_MAX ? read : 0
}

/** The length of the value that the operation at `at` will find, 0 when there is none. */
function lengthBefore(contents: Contents, branch: readonly Operation[], at: number): number {
  const key = (branch[at] as Operation).key
  const record = find(contents, key)
  const length = record === NO_RECORD ? 0 : contents.table.records.valueLength(record)
  // A key is changed once at most.
  const change = branch
    .slice(0, at)
    .find((earlier) => earlier.op !== 'get' && compareBytes(earlier.key, key) === 0)
  switch (change?.op) {
    case 'put':
      return change.value.length
    case 'append':
      return length + change.value.length
    case 'delete':
      return 0
    default:
      return length
  }
}

function run(contents: Contents, operation: Operation): OperationResult {
  switch (operation.op) {
    case 'get': {
      const record = find(contents, operation.key)
      return { status: 'got', entry: record === NO_RECORD ? null : contents.entry(record) }
    }
    case 'put':
      return written(contents, contents.put(pairOf(operation), operation.ttl ?? 0))
    case 'append':
      return written(contents, contents.append(pairOf(operation)))
    case 'delete': {
      const record = find(contents, operation.key)
      if (record === NO_RECORD) return { status: 'not-found', revision: contents.revision }
      contents.remove(record, EventKind.delete)
      return written(contents, 0)
    }
  }
}

function written(contents: Contents, version: number): OperationResult {
  return { status: 'written', revision: contents.revision, version }
}

/** Key and value are views on the command, in which the value follows the key. */
function pairOf({ key, value }: { readonly key: Uint8Array; readonly value: Uint8Array }): Pair {
  const bytes = new Uint8Array(key.buffer, key.byteOffset, key.length + value.length)
  return { bytes, keyLength: key.length }
}

function find({ table }: Contents, key: Uint8Array): RecordNumber {
  return table.find(key, key.length)
}

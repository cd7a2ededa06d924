/** The store as one would write it in an afternoon: what it says is right by being obvious. */
import type { Command, CompareAndSet } from '../src/commands.ts'
import type { WatchEvent } from '../src/events.ts'
import { TXN_READ_BYTES_MAX, VALUE_BYTES_MAX } from '../src/limits.ts'
import type { Entry, KeyEntry, Page, Scan } from '../src/queries.ts'
import type { OperationResult, Result } from '../src/results.ts'
import type { Comparison, Operation, Txn } from '../src/txn.ts'

export class Model {
  revision = 0
  time = 0
  /** By key, in Latin-1: its order is that of the bytes. */
  readonly entries = new Map<string, Entry>()
  readonly events: WatchEvent[] = []

  apply(command: Command, time: number): Result {
    this.time = Math.max(this.time, time)
    switch (command.op) {
      case 'put':
      case 'append':
      case 'delete': {
        const length = command.op === 'append' ? this.#length(command.key) + command.value.length : 0
        if (length > VALUE_BYTES_MAX)
          return { status: 'too-large', revision: this.revision, valueBytes: length }
        return this.#run(command) as Result
      }
      case 'cas':
        return this.#cas(command)
      case 'txn':
        return this.#txn(command)
      case 'expire':
        return this.#expire()
    }
  }

  get(key: Uint8Array): Entry | null {
    return this.entries.get(name(key)) ?? null
  }

  scan({ from, to, limit, keysOnly }: Scan): Page {
    const inRange = this.sorted().filter(
      ({ key }) => name(key) >= name(from) && (to.length === 0 || name(key) < name(to)),
    )
    const entries = inRange
      .slice(0, limit)
      .map((entry) => (keysOnly ? { ...entry, value: new Uint8Array(0) } : entry))
    return { revision: this.revision, entries, more: inRange.length > limit }
  }

  sorted(): KeyEntry[] {
    const names = [...this.entries.keys()].sort()
    return names.map((key) => ({ key: bytesOf(key), ...(this.entries.get(key) as Entry) }))
  }

  #length(key: Uint8Array): number {
    return this.get(key)?.value.length ?? 0
  }

  #cas({ by, expected, key, value, ttl }: CompareAndSet): Result {
    const { version = 0, changed = 0 } = this.get(key) ?? {}
    if ((by === 'version' ? version : changed) !== expected)
      return { status: 'conflict', revision: this.revision, version, changed }
    return this.#run({ op: 'put', key, value, ...(ttl === undefined ? {} : { ttl }) }) as Result
  }

  #txn({ compare, then, otherwise }: Txn): Result {
    const succeeded = compare.every((comparison) => this.#holds(comparison))
    const branch = succeeded ? then : otherwise
    // Tried on a copy, kept only when nothing is too large.
    const copy = new Model()
    copy.revision = this.revision
    copy.time = this.time
    for (const [key, entry] of this.entries) copy.entries.set(key, entry)
    let read = 0
    const results: OperationResult[] = []
    for (const operation of branch) {
      const length = copy.#length(operation.key) + (operation.op === 'append' ? operation.value.length : 0)
      if (operation.op === 'append' && length > VALUE_BYTES_MAX)
        return { status: 'too-large', revision: this.revision, valueBytes: length }
      if (operation.op === 'get') read += length
      results.push(copy.#run(operation))
    }
    if (read > TXN_READ_BYTES_MAX) return { status: 'too-large', revision: this.revision, valueBytes: read }
    this.revision = copy.revision
    this.entries.clear()
    for (const [key, entry] of copy.entries) this.entries.set(key, entry)
    this.events.push(...copy.events)
    return { status: 'txn', revision: this.revision, succeeded, results }
  }

  #holds({ key, is, ...comparison }: Comparison): boolean {
    const entry = this.get(key)
    if (comparison.of === 'value' && entry === null) return is === 'unequal'
    const found = comparison.of === 'value' ? name(entry?.value) : (entry?.[comparison.of] ?? 0)
    const given = comparison.of === 'value' ? name(comparison.to) : comparison.to
    switch (is) {
      case 'equal':
        return found === given
      case 'unequal':
        return found !== given
      case 'less':
        return found < given
      case 'greater':
        return found > given
    }
  }

  #expire(): Result {
    const due = [...this.entries].filter(([, { expires }]) => expires !== undefined && expires <= this.time)
    due.sort(([a, { expires: x = 0 }], [b, { expires: y = 0 }]) => x - y || (a < b ? -1 : 1))
    for (const [key] of due.slice(0, 256)) this.#end(bytesOf(key), 'expire')
    return { status: 'expired', revision: this.revision, count: Math.min(due.length, 256) }
  }

  #run(operation: Operation): OperationResult {
    const { key } = operation
    const before = this.get(key)
    switch (operation.op) {
      case 'get':
        return { status: 'got', entry: before }
      case 'delete':
        if (before === null) return { status: 'not-found', revision: this.revision }
        this.#end(key, 'delete')
        return { status: 'written', revision: this.revision, version: 0 }
      case 'put':
        return this.#set(operation, operation.value, operation.ttl && this.time + operation.ttl)
      case 'append': {
        const value = Uint8Array.of(...(before?.value ?? []), ...operation.value)
        return this.#set(operation, value, before?.expires)
      }
    }
  }

  #set(
    { op, key, value: given }: Extract<Operation, { op: 'put' | 'append' }>,
    value: Uint8Array,
    expires: number | undefined,
  ): OperationResult {
    const version = (this.get(key)?.version ?? 0) + 1
    const changed = ++this.revision
    this.entries.set(name(key), { value, version, changed, ...(expires === undefined ? {} : { expires }) })
    this.events.push({ type: op, revision: changed, version, key, value: given })
    return { status: 'written', revision: changed, version }
  }

  #end(key: Uint8Array, type: 'delete' | 'expire'): void {
    this.entries.delete(name(key))
    this.events.push({ type, revision: ++this.revision, version: 0, key, value: new Uint8Array(0) })
  }
}

function name(bytes: Uint8Array = new Uint8Array(0)): string {
  return Buffer.from(bytes).toString('latin1')
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0))
}

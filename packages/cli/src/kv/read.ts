/** `lab kv get` and `lab kv scan`. */
import type { KeyEntry, KeyRange, ReadCallOptions, ScanOptions } from '@lab/kvraft/clerk'
import { Option, type Command } from 'commander'
import { reading, type KvClerk } from '../client.ts'
import type { Io } from '../io.ts'
import { formatRows, jsonBytes, printable, type Format, type Row } from '../output.ts'
import { parseCount, usage } from '../parse.ts'
import { oneLine } from '../width.ts'
import { noSuchKey, type KvFlags, type Session } from './session.ts'

interface ReadFlags extends KvFlags {
  readonly consistency?: 'linearizable' | 'lease' | 'stale'
}

export interface RangeFlags {
  readonly prefix?: string
  readonly from?: string
  readonly to?: string
}

interface ScanFlags extends ReadFlags, RangeFlags {
  readonly limit?: number
  readonly keys?: boolean
}

/** Entries that are asked for at a time, and shown together. */
const PAGE_ENTRIES = 1000

export function addReadCommands(kv: Command, session: Session): void {
  addConsistency(session.leaf(kv, 'get <key>', 'print the value of a key')).action(
    (key: string, flags: ReadFlags) =>
      reading(
        session.withClerk(flags, (clerk, options) =>
          get(clerk, { key, flags, io: session.io, options: { ...options, ...freshness(flags) } }),
        ),
      ),
  )
  addRange(addConsistency(session.leaf(kv, 'scan', 'print keys and values, in the order of keys')))
    .option('--limit <count>', 'so many at most; else all', parseCount)
    .option('--keys', 'the keys alone')
    .action((flags: ScanFlags) =>
      reading(
        session.withClerk(flags, (clerk, options) =>
          scan(clerk, flags, { ...options, ...freshness(flags) }, session.io),
        ),
      ),
    )
}

export function addRange(command: Command): Command {
  return command
    .option('--prefix <text>', 'keys that begin so')
    .option('--from <key>', 'keys from this one on')
    .option('--to <key>', 'keys before this one')
}

export function rangeOf({ prefix, from, to }: RangeFlags): KeyRange {
  if (prefix === undefined)
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) }
  if (from !== undefined || to !== undefined) throw usage('give --prefix, or --from and --to, not both')
  return { prefix }
}

function addConsistency(command: Command): Command {
  return command.addOption(
    new Option('--consistency <kind>', 'how new the answer must be')
      .choices(['linearizable', 'lease', 'stale'])
      .env('LAB_CONSISTENCY'),
  )
}

function freshness({ consistency }: ReadFlags): ReadCallOptions {
  return consistency === undefined ? {} : { consistency }
}

interface GetOptions {
  readonly key: string
  readonly flags: KvFlags
  readonly io: Io
  readonly options: ReadCallOptions
}

async function get(clerk: KvClerk, { key, flags, io, options }: GetOptions): Promise<void> {
  const { entry } = await clerk.getEntry(key, options)
  if (entry === null) throw noSuchKey(key)
  const { value } = entry
  switch (flags.output) {
    case 'raw':
      return io.out(value)
    case 'json':
    case 'jsonl':
      return io.out(`${JSON.stringify(rowOf({ ...entry, key: new TextEncoder().encode(key) }, false))}\n`)
    case 'table':
      if (io.interactive) return io.out(`${printable(value)}\n`)
      await io.out(value)
      return io.out('\n')
  }
}

async function scan(clerk: KvClerk, flags: ScanFlags, read: ReadCallOptions, io: Io): Promise<void> {
  const { limit = Infinity, keys: keysOnly = false, output } = flags
  const options: ScanOptions = { ...read, keysOnly, limit: Math.min(limit, PAGE_ENTRIES) }
  const rows: Row[] = []
  let left = limit
  for await (const entry of clerk.entries(rangeOf(flags), options)) {
    const row = output === 'json' || output === 'jsonl' ? rowOf(entry, keysOnly) : textRow(entry, flags)
    if (output === 'jsonl' || output === 'raw') await io.out(formatRows([row], output))
    else rows.push(row)
    if (--left === 0) break
  }
  await showRows(rows, output, io)
}

/** What was not written line by line. */
async function showRows(rows: readonly Row[], format: Format, io: Io): Promise<void> {
  if (format === 'json' || rows.length > 0) await io.out(formatRows(rows, format))
}

function rowOf({ key, value, version, changed, expires }: KeyEntry, keysOnly: boolean): Row {
  return {
    key: jsonBytes(key),
    ...(keysOnly ? {} : { value: jsonBytes(value) }),
    ...{ version, revision: changed },
    ...(expires === undefined ? {} : { expires: new Date(expires).toISOString() }),
  }
}

/** A table is to be looked at: a cell is on one line, and a long value is shown by its beginning. */
const CELL_WIDTH_MAX = 60

function textRow({ key, value, version, changed }: KeyEntry, { keys = false, output }: ScanFlags): Row {
  const isTable = output === 'table'
  const name = isTable ? oneLine(printable(key)) : printable(key)
  if (keys) return { key: name }
  const text = isTable
    ? oneLine(printable(value.subarray(0, 4 * CELL_WIDTH_MAX)), CELL_WIDTH_MAX)
    : printable(value)
  return { key: name, value: text, version, revision: changed }
}

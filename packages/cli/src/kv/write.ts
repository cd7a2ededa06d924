/** `lab kv put`, `append`, `cas`, `del` and `txn`. */
import type { Expected, OperationResult, TxnDone, TxnRequest } from '@lab/kvraft/clerk'
import type { Command } from 'commander'
import { toError } from '@lab/rpc'
import { CliError } from '../errors.ts'
import { formatRow, jsonBytes } from '../output.ts'
import { parseDuration, parseNumber, usage } from '../parse.ts'
import { noSuchKey, type KvFlags, type Session } from './session.ts'

interface WriteFlags extends KvFlags {
  readonly ttl?: number
  readonly version?: number
  readonly changed?: number
}

export function addWriteCommands(kv: Command, session: Session): void {
  const { leaf, withClerk, io } = session
  const value = async (given: string): Promise<string | Uint8Array> =>
    given === '-' ? io.readInput() : given
  addTtl(leaf(kv, 'put <key> <value>', 'set a value; "-" takes it from standard input')).action(
    async (key: string, given: string, flags: WriteFlags) => {
      const bytes = await value(given)
      await withClerk(flags, async (clerk, options) =>
        written(await clerk.put(key, bytes, { ...options, ...ttlOf(flags) }), flags, session),
      )
    },
  )
  leaf(kv, 'append <key> <value>', 'add to the end of a value; "-" takes it from standard input').action(
    async (key: string, given: string, flags: WriteFlags) => {
      const bytes = await value(given)
      await withClerk(flags, async (clerk, options) =>
        written(await clerk.append(key, bytes, options), flags, session),
      )
    },
  )
  addTtl(leaf(kv, 'cas <key> <value>', 'set a value if the key is as expected, else exit with 3'))
    .option('--version <n>', 'expect the key to have this version; 0: to be missing', parseNumber)
    .option('--changed <revision>', 'expect its last change to be this one', parseNumber)
    .action(async (key: string, given: string, flags: WriteFlags) => {
      const expected = expectedOf(flags)
      const bytes = await value(given)
      await withClerk(flags, async (clerk, options) => {
        const done = await clerk.cas(key, bytes, expected, { ...options, ...ttlOf(flags) })
        if (!done.swapped) throw conflict(key, done.version, done.changed)
        await written(done, flags, session)
      })
    })
  leaf(kv, 'del <key>', 'delete a key').action((key: string, flags: KvFlags) =>
    withClerk(flags, async (clerk, options) => {
      const { revision, deleted } = await clerk.delete(key, options)
      if (!deleted) throw noSuchKey(key)
      await io.out(formatRow({ revision }, flags.output, `deleted, revision ${revision}`))
    }),
  )
  leaf(kv, 'txn <json>', 'compare, then or else, in one step; "-" takes it from standard input').action(
    async (given: string, flags: KvFlags) => {
      const request = parseTxn(await value(given))
      await withClerk(flags, async (clerk, options) =>
        showTxn(await clerk.txn(request, options), flags, session),
      )
    },
  )
}

function addTtl(command: Command): Command {
  return command.option('--ttl <time>', 'the key goes by itself after 500ms, 5s, 2m', parseDuration)
}

function ttlOf({ ttl }: WriteFlags): { ttl?: number } {
  return ttl === undefined ? {} : { ttl: Math.ceil(ttl) }
}

function expectedOf({ version, changed }: WriteFlags): Expected {
  if ((version === undefined) === (changed === undefined))
    throw usage('what is to be compared? Give --version N (0: no such key) or --changed REVISION')
  return version === undefined ? { changed: changed ?? 0 } : { version }
}

async function written(
  { revision, version }: { readonly revision: number; readonly version: number },
  { output }: KvFlags,
  { io }: Session,
): Promise<void> {
  await io.out(formatRow({ revision, version }, output, `ok, revision ${revision}, version ${version}`))
}

function conflict(key: string, version: number, changed: number): CliError {
  const is =
    version === 0 ? 'there is no such key' : `it has version ${version}, changed by revision ${changed}`
  const details = { key, version, changed }
  return new CliError('CONFLICT', `${JSON.stringify(key)} is not as expected: ${is}`, { details })
}

/** As `Clerk.txn` takes it. What of it makes no sense, the clerk says. */
function parseTxn(text: string | Uint8Array): TxnRequest {
  try {
    const value: unknown = JSON.parse(typeof text === 'string' ? text : new TextDecoder().decode(text))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('no object')
    const unknown = Object.keys(value).filter((name) => !['if', 'then', 'else'].includes(name))
    if (unknown.length > 0) throw new Error(`unknown ${unknown.join(', ')}`)
    return value
  } catch (cause) {
    throw usage(
      `a transaction is JSON such as {"if":[{"key":"a","version":1}],"then":[{"op":"put","key":"a","value":"x"}]}: ${toError(cause).message}`,
      { cause },
    )
  }
}

async function showTxn(
  { revision, succeeded, results }: TxnDone,
  { output }: KvFlags,
  { io }: Session,
): Promise<void> {
  const row = { revision, succeeded, results: results.map(resultRow) }
  const branch = succeeded ? 'then' : 'else'
  await io.out(formatRow(row, output, `did ${branch}, revision ${revision}: ${JSON.stringify(row.results)}`))
  if (!succeeded) throw new CliError('CONFLICT', 'not all conditions held: "else" was done')
}

function resultRow(result: OperationResult): object {
  if (result.status !== 'got') return result
  const { entry } = result
  if (entry === null) return { status: 'missing' }
  return { ...result, entry: { ...entry, value: jsonBytes(entry.value) } }
}

/** `lab kv`: the store. */
import { type Clerk, type CallOptions } from '@lab/kvraft/clerk'
import type { Command } from 'commander'
import { addClientOptions, connectClerk, type ClientFlags } from '../client.ts'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRow, jsonBytes, printable, type Format } from '../output.ts'

interface KvFlags extends ClientFlags {
  readonly output: Format
}

const EXAMPLES = `
  lab kv put greeting hello            put a value
  lab kv get greeting                  print it
  lab kv append greeting ', world'     add to its end
  date | lab kv put now -              take the value from standard input
  lab kv get picture -o raw > copy     the bytes, and nothing but the bytes
  lab kv del greeting                  exit code 3 when there is no such key`

export function addKvCommands(program: Command, io: Io): void {
  const kv = withExamples(program.command('kv').description('get and change values'), EXAMPLES)
  leaf(kv, 'get <key>', 'print the value of a key').action((key: string, flags: KvFlags) =>
    withClerk(flags, io, (clerk, options) => get(clerk, { key, flags, io, options })),
  )
  leaf(kv, 'put <key> <value>', 'set a value; "-" takes it from standard input').action(
    (key: string, value: string, flags: KvFlags) => write('put', key, value, flags, io),
  )
  leaf(kv, 'append <key> <value>', 'add to the end of a value; "-" takes it from standard input').action(
    (key: string, value: string, flags: KvFlags) => write('append', key, value, flags, io),
  )
  leaf(kv, 'del <key>', 'delete a key').action((key: string, flags: KvFlags) =>
    withClerk(flags, io, async (clerk, options) => {
      const { revision, deleted } = await clerk.delete(key, options)
      if (!deleted) throw noSuchKey(key)
      await io.out(formatRow({ revision }, flags.output, `deleted, revision ${revision}`))
    }),
  )
}

function leaf(kv: Command, name: string, description: string): Command {
  return addOutputOption(addClientOptions(kv.command(name).description(description)))
}

async function withClerk(
  flags: KvFlags,
  io: Io,
  work: (clerk: Clerk, options: CallOptions) => Promise<void>,
): Promise<void> {
  const clerk = await connectClerk(flags, io)
  try {
    await work(clerk, { timeout: flags.timeout, signal: io.signal })
  } finally {
    await clerk.close()
  }
}

interface GetOptions {
  readonly key: string
  readonly flags: KvFlags
  readonly io: Io
  readonly options: CallOptions
}

async function get(clerk: Clerk, { key, flags, io, options }: GetOptions): Promise<void> {
  const { entry } = await clerk.getEntry(key, options)
  if (entry === null) throw noSuchKey(key)
  const { value, version, changed } = entry
  switch (flags.output) {
    case 'raw':
      return io.out(value)
    case 'json':
    case 'jsonl':
      return io.out(`${JSON.stringify({ key, value: jsonBytes(value), version, revision: changed })}\n`)
    case 'table':
      if (io.interactive) return io.out(`${printable(value)}\n`)
      await io.out(value)
      return io.out('\n')
  }
}

async function write(
  op: 'put' | 'append',
  key: string,
  given: string,
  flags: KvFlags,
  io: Io,
): Promise<void> {
  const value = given === '-' ? await io.readInput() : given
  await withClerk(flags, io, async (clerk, options) => {
    const { revision, version } = await clerk[op](key, value, options)
    await io.out(
      formatRow({ revision, version }, flags.output, `ok, revision ${revision}, version ${version}`),
    )
  })
}

function noSuchKey(key: string): CliError {
  return new CliError('NOT_FOUND', `there is no key ${JSON.stringify(key)}`)
}

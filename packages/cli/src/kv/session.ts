import type { CallOptions } from '@lab/kvraft/clerk'
import type { Command } from 'commander'
import { addClientOptions, connectClerk, type ClientFlags, type KvClerk } from '../client.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { addOutputOption, type Format } from '../output.ts'

export interface KvFlags extends ClientFlags {
  readonly output: Format
}

/** How commands of `lab kv` come by their clerk: one each, or that of the line before. */
export interface Session {
  readonly io: Io
  /** Adds what every one of them takes. */
  readonly leaf: (kv: Command, name: string, description: string) => Command
  readonly withClerk: (
    flags: KvFlags,
    work: (clerk: KvClerk, options: CallOptions) => Promise<void>,
  ) => Promise<void>
}

/** A clerk for each command. */
export function ownClerks(io: Io): Session {
  return {
    io,
    leaf: (kv, name, description) =>
      addOutputOption(addClientOptions(kv.command(name).description(description))),
    withClerk: async (flags, work) => {
      const clerk = await connectClerk(flags, io)
      try {
        await work(clerk, { timeout: flags.timeout, signal: io.signal })
      } finally {
        await clerk.close()
      }
    },
  }
}

/** One clerk for all of them, with the flags that it was connected with. */
export function sharedClerk(io: Io, clerk: KvClerk, { timeout }: ClientFlags): Session {
  return {
    io,
    leaf: (kv, name, description) => addOutputOption(kv.command(name).description(description)),
    withClerk: (_flags, work) => work(clerk, { timeout, signal: io.signal }),
  }
}

export function noSuchKey(key: string): CliError {
  return new CliError('NOT_FOUND', `there is no key ${JSON.stringify(key)}`)
}

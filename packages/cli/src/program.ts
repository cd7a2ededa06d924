/** The commands and their help. What they do stands in commands/. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { formatHelp, groupItems, withExamples } from './help.ts'
import type { Io } from './io.ts'
import { ownFile } from './own-files.ts'

const EXAMPLES = `
  lab up --detach                three servers on this machine, in the background
  lab kv put greeting hello      put a value
  lab kv get greeting            get it back
  lab cluster status             who leads, how far each server is
  lab down                       stop them; the data stay until lab down --wipe`

const AFTER = `
Data go to standard output, talk to standard error.
Exit codes: 0 ok · 1 failure · 2 usage · 3 no such key, comparison lost · 4 unavailable · 5 outcome of a write unknown ·
            6 unauthorised · 130 interrupted`

type AddCommands = (program: Command, io: Io) => void

/** What each file adds, in the order of the help, loaded when it is asked for: a command needs few of the packages. */
const COMMANDS: readonly { readonly names: readonly string[]; readonly load: () => Promise<AddCommands> }[] =
  [
    { names: ['server'], load: async () => (await import('./commands/server.ts')).addServerCommands },
    { names: ['kv'], load: async () => (await import('./commands/kv.ts')).addKvCommands },
    { names: ['cluster'], load: async () => (await import('./commands/cluster.ts')).addClusterCommands },
    { names: ['shard'], load: async () => (await import('./commands/shard.ts')).addShardCommands },
    { names: ['up', 'down'], load: async () => (await import('./commands/local.ts')).addLocalCommands },
    { names: ['cert'], load: async () => (await import('./commands/cert.ts')).addCertCommands },
    { names: ['trace'], load: async () => (await import('./commands/trace.ts')).addTraceCommands },
    { names: ['sim'], load: async () => (await import('./commands/sim.ts')).addSimCommands },
    { names: ['check'], load: async () => (await import('./commands/check.ts')).addCheckCommand },
    { names: ['grade'], load: async () => (await import('./commands/grade.ts')).addGradeCommand },
    { names: ['mr'], load: async () => (await import('./commands/mr.ts')).addMrCommands },
  ]

/**
 * @param asked the first word of the command line: only its commands are there, all of them for any other word
 * @param sayUsage receives what commander says about a command line that makes no sense
 */
export async function buildProgram(
  io: Io,
  asked: string | undefined,
  sayUsage: (text: string) => void,
): Promise<Command> {
  const program = new Command('lab')
    .description('Start servers, use the store, look at traces.')
    .version(ownVersion(), '-V, --version')
    // `lab kv cas --version 3` asks for a key's version, not for ours.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: sayUsage,
      getOutHelpWidth: () => io.width,
      getErrHelpWidth: () => io.width,
    })
    .configureHelp({ formatHelp, groupItems })
    .addHelpText('after', AFTER)
  withExamples(program, EXAMPLES)
  const named = COMMANDS.filter(({ names }) => asked !== undefined && names.includes(asked))
  for (const { load } of named.length > 0 ? named : COMMANDS) (await load())(program, io)
  return program
}

function ownVersion(): string {
  const text = readFileSync(ownFile('package.json'), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

/** The commands and their help. What they do stands in commands/. */
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addCertCommands } from './commands/cert.ts'
import { addClusterCommands } from './commands/cluster.ts'
import { addGradeCommand } from './commands/grade.ts'
import { addKvCommands } from './commands/kv.ts'
import { addLocalCommands } from './commands/local.ts'
import { addCheckCommand } from './commands/check.ts'
import { addMrCommands } from './commands/mr.ts'
import { addServerCommands } from './commands/server.ts'
import { addShardCommands } from './commands/shard.ts'
import { addSimCommands } from './commands/sim.ts'
import { addTraceCommands } from './commands/trace.ts'
import { formatHelp, withExamples } from './help.ts'
import type { Io } from './io.ts'

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

/** @param sayUsage receives what commander says about a command line that makes no sense */
export function buildProgram(io: Io, sayUsage: (text: string) => void): Command {
  const program = new Command('lab')
    .description('Start servers, use the store, look at traces.')
    .version(ownVersion(), '-V, --version')
    // `lab kv cas --version 3` asks for a key's version, not for ours.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: sayUsage,
      getOutHelpWidth: () => io.width,
      getErrHelpWidth: () => io.width,
    })
    .configureHelp({ formatHelp })
    .addHelpText('after', AFTER)
  withExamples(program, EXAMPLES)
  addServerCommands(program, io)
  addKvCommands(program, io)
  addClusterCommands(program, io)
  addShardCommands(program, io)
  addLocalCommands(program, io)
  addCertCommands(program, io)
  addTraceCommands(program, io)
  addSimCommands(program, io)
  addCheckCommand(program, io)
  addGradeCommand(program, io)
  addMrCommands(program, io)
  return program
}

function ownVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { readonly version: string }).version
}

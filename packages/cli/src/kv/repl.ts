/** `lab kv repl`: the other commands of `lab kv`, a line each, over one connection. */
import { toError } from '@lab/rpc'
import { Command, CommanderError } from 'commander'
import type { ClientFlags, KvClerk } from '../client.ts'
import { formatHelp } from '../help.ts'
import type { Io } from '../io.ts'
import { formatError, type Format } from '../output.ts'
import { addReadCommands } from './read.ts'
import { sharedClerk } from './session.ts'
import { addWatchCommand } from './watch.ts'
import { splitWords } from './words.ts'
import { addWriteCommands } from './write.ts'

export interface ReplOptions {
  readonly clerk: KvClerk
  readonly flags: ClientFlags & { readonly output: Format }
  readonly io: Io
}

/** Reads lines until they end, or one says `exit`. What fails is told, and the next line read. */
export async function repl({ clerk, flags, io }: ReplOptions): Promise<void> {
  for await (const line of io.lines('kv> ')) {
    let words: string[]
    try {
      words = splitWords(line)
    } catch (thrown) {
      io.talk(formatError(toError(thrown), flags.output))
      continue
    }
    if (words.length === 0) continue
    if (words[0] === 'exit' || words[0] === 'quit') return
    const format = words.some((word) => /^(-o|--output)/.test(word)) ? [] : ['-o', flags.output]
    const asksForHelp = words[0] === 'help' || words.includes('--help')
    await runLine(asksForHelp ? words : [...words, ...format], { clerk, flags, io })
  }
}

async function runLine(words: readonly string[], { clerk, flags, io }: ReplOptions): Promise<void> {
  const program = new Command('kv>')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.out(text),
      writeErr: (text) => {
        io.talk(text.trimEnd().replace(/^error:/, 'lab:'))
      },
    })
    .configureHelp({ formatHelp })
    .usage('[command]')
  const session = sharedClerk(io, clerk, flags)
  addReadCommands(program, session)
  addWriteCommands(program, session)
  addWatchCommand(program, session)
  program.command('exit').description('end; so does the end of the input')
  try {
    await program.parseAsync([...words], { from: 'user' })
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) io.talk(formatError(toError(thrown), flags.output))
  }
}

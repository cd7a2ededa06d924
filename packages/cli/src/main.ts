/** The command `lab`: reads the command line, runs one command, and ends with its exit code. */
import { toError } from '@lab/rpc'
import { CommanderError } from 'commander'
import { ExitCode, exitCodeOf } from './exit-codes.ts'
import { processIo, type Io } from './io.ts'
import { FORMATS, formatError, type Format } from './output.ts'
import { buildProgram } from './program.ts'

/** Runs `lab` with these arguments in this process, and ends the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const stop = new AbortController()
  let interrupted = false
  for (const signal of computes(argv) ? [] : (['SIGINT', 'SIGTERM'] as const)) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait.
      if (stop.signal.aborted) process.exit(ExitCode.interrupted)
      interrupted = signal === 'SIGINT'
      stop.abort(new Error(signal))
    })
  }
  // `lab … | head` closes our output early: no news to anybody.
  process.stdout.on('error', () => {
    process.exit(ExitCode.ok)
  })
  const code = await run(argv, processIo(stop.signal))
  const last = interrupted ? ExitCode.interrupted : code
  process.stdout.write('', () => {
    process.exit(last)
  })
}

/** These have nothing to put in order, and may not come to hear of a signal while they compute: it just ends them. */
function computes([command, subcommand]: readonly string[]): boolean {
  if (command === 'sim') return subcommand === 'replay' || subcommand === 'shrink'
  return command === 'grade' || command === 'check' || command === 'trace'
}

/** Runs one command. Never throws. @returns the exit code */
export async function run(argv: readonly string[], io: Io): Promise<ExitCode> {
  const format = formatAsked(argv, io)
  let said = ''
  try {
    const program = await buildProgram(io, argv[0], (text) => {
      said += text
    })
    await program.parseAsync([...argv], { from: 'user' })
    return ExitCode.ok
  } catch (thrown) {
    const error = toError(thrown)
    if (!(error instanceof CommanderError)) {
      io.talk(formatError(error, format))
      return exitCodeOf(error)
    }
    if (error.exitCode === 0) return ExitCode.ok
    // Without a command it says its help, which is no error to a person.
    const isHelp = !said.startsWith('error: ') && (format === 'table' || format === 'raw')
    io.talk(isHelp ? said.trimEnd() : formatError(usageError(said), format))
    return ExitCode.usage
  }
}

/** What commander said, as all our errors say it. */
function usageError(said: string): Error {
  const message = said
    .trim()
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
  return Object.assign(new Error(message), { code: 'USAGE' })
}

/** Errors come in the format of the output, those of the command line itself too: so it is looked for before parsing. */
function formatAsked(argv: readonly string[], { env }: Io): Format {
  const at = argv.findIndex((word) => word === '-o' || word === '--output')
  const inOneWord = argv
    .map((word) => /^(?:-o|--output=)(\w+)$/.exec(word)?.[1])
    .find((word) => word !== undefined)
  const asked = inOneWord ?? (at === -1 ? env['LAB_OUTPUT'] : argv[at + 1])
  return FORMATS.find((format) => format === asked) ?? 'table'
}

/** `lab trace`: what happened, from the files of `--trace`. */
import { createReadStream } from 'node:fs'
import { columns, mergeTraces, readTrace, type TimedEvent, type TraceReader } from '@lab/trace'
import { toError } from '@lab/rpc'
import { Option, type Command } from 'commander'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { parseCount, splitList } from '../parse.ts'

interface ColsFlags {
  readonly kinds?: string
  readonly width?: number
}

const EXAMPLES = `
  lab trace cols n1.jsonl n2.jsonl n3.jsonl            a column for each node
  lab trace cols run.jsonl --kinds role,fault          only some kinds of events
  lab trace cols run.jsonl --width 200 | less -S       wider than the terminal`

export function addTraceCommands(program: Command, io: Io): void {
  const trace = withExamples(program.command('trace').description('look at traces'), EXAMPLES)
  const cols = trace.command('cols <files...>').description('one column per node, time runs down')
  withExamples(cols, EXAMPLES)
    .addOption(new Option('--kinds <list>', 'only these kinds of events, such as role,commit,fault'))
    .addOption(new Option('--width <characters>', 'of a line (default: the terminal)').argParser(parseCount))
    .action((files: string[], flags: ColsFlags) => showColumns(files, flags, io))
}

async function showColumns(files: readonly string[], flags: ColsFlags, io: Io): Promise<void> {
  const traces = await Promise.all(files.map(openTrace))
  const nodes = [...new Set(traces.flatMap(({ header }) => header.nodes ?? []))].sort()
  const story = mergeTraces(traces.map(({ events }) => events))
  const events = flags.kinds === undefined ? story : ofKinds(story, new Set(splitList(flags.kinds)))
  const { color, width } = io
  for await (const line of columns(events, { nodes, color, width: flags.width ?? width })) {
    if (io.signal.aborted) return
    await io.out(`${line}\n`)
  }
}

async function openTrace(file: string): Promise<TraceReader> {
  try {
    return await readTrace(createReadStream(file), file)
  } catch (thrown) {
    const error = toError(thrown)
    if ('code' in error && error.code === 'ENOENT')
      throw new CliError('USAGE', `there is no file ${file}`, { cause: error })
    throw error
  }
}

async function* ofKinds(
  events: AsyncIterable<TimedEvent>,
  kinds: ReadonlySet<string>,
): AsyncGenerator<TimedEvent, void, undefined> {
  for await (const timed of events) if (kinds.has(timed.event.k)) yield timed
}

/** `lab trace`: what happened, from the files of `--trace`. */
import { createReadStream, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { columns, mergeTraces, readTrace, type TimedEvent } from '@lab/trace'
import { Option, type Command } from 'commander'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { parseCount, splitList, usage } from '../parse.ts'

interface ColsFlags {
  readonly kinds?: string
  readonly width?: number
}

const EXAMPLES = `
  lab trace cols n1.jsonl n2.jsonl n3.jsonl            a column for each node
  lab trace cols traces                                all *.jsonl of a folder
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
  const traces = await Promise.all(
    files.flatMap(traceFiles).map((file) => readTrace(createReadStream(file), file)),
  )
  const nodes = [...new Set(traces.flatMap(({ header }) => header.nodes ?? []))].sort()
  const story = mergeTraces(traces.map(({ events }) => events))
  const events = flags.kinds === undefined ? story : ofKinds(story, new Set(splitList(flags.kinds)))
  const { color, width } = io
  for await (const line of columns(events, { nodes, color, width: flags.width ?? width })) {
    if (io.signal.aborted) return
    await io.out(`${line}\n`)
  }
}

/** A file is itself; a folder is all trace files in it. */
function traceFiles(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) throw usage(`there is no file ${path}`)
  if (!stats.isDirectory()) return [path]
  const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'))
  if (names.length === 0) throw usage(`there is no *.jsonl in ${path}`)
  return names.sort().map((name) => join(path, name))
}

async function* ofKinds(
  events: AsyncIterable<TimedEvent>,
  kinds: ReadonlySet<string>,
): AsyncGenerator<TimedEvent, void, undefined> {
  for await (const timed of events) if (kinds.has(timed.event.k)) yield timed
}

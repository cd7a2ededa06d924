/** `lab trace`: what happened, from the files of `--trace`. */
import { columns, formatViolation, rules, TraceChecker, type TimedEvent, type Violation } from '@lab/trace'
import { Option, type Command } from 'commander'
import { CliError } from '../errors.ts'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption, formatRows, printableText, type Format, type Row } from '../output.ts'
import { parseCount, splitList } from '../parse.ts'
import { openStory } from '../trace-input.ts'

interface ColsFlags {
  readonly kinds?: string
  readonly width?: number
}

interface CheckFlags {
  readonly output: Format
}

const EXAMPLES = `
  lab trace cols n1.jsonl n2.jsonl n3.jsonl            a column for each node
  lab trace cols traces                                all *.jsonl of a folder
  lab trace cols run.jsonl --kinds role,fault          only some kinds of events
  lab trace cols run.jsonl --width 200 | less -S       wider than the terminal
  lab trace check traces                               which rules of the paper were broken, and where first`

export function addTraceCommands(program: Command, io: Io): void {
  const trace = withExamples(program.command('trace').description('look at traces'), EXAMPLES)
  const cols = trace.command('cols <files...>').description('one column per node, time runs down')
  withExamples(cols, EXAMPLES)
    .addOption(new Option('--kinds <list>', 'only these kinds of events, such as role,commit,fault'))
    .addOption(new Option('--width <characters>', 'of a line (default: the terminal)').argParser(parseCount))
    .action((files: string[], flags: ColsFlags) => showColumns(files, flags, io))
  addOutputOption(trace.command('check <files...>').description("hold a trace to Raft's rules")).action(
    (files: string[], flags: CheckFlags) => check(files, flags, io),
  )
}

async function showColumns(paths: readonly string[], flags: ColsFlags, io: Io): Promise<void> {
  const { nodes, story } = await openStory(paths, io)
  const events = flags.kinds === undefined ? story : ofKinds(story, new Set(splitList(flags.kinds)))
  const { color, width } = io
  for await (const line of columns(events, { nodes, color, width: flags.width ?? width })) {
    if (io.signal.aborted) return
    await io.out(`${line}\n`)
  }
}

/** Prints the first event that breaks each rule. @throws {CliError} `FAILED` when there is one */
async function check(paths: readonly string[], { output }: CheckFlags, io: Io): Promise<void> {
  const { story } = await openStory(paths, io)
  const checker = new TraceChecker()
  const first = new Map<string, Violation>()
  let events = 0
  for await (const { event } of story) {
    events++
    for (const violation of checker.feed(event))
      if (!first.has(violation.rule)) first.set(violation.rule, violation)
  }
  const found = [...first.values()]
  if (output === 'table') for (const one of found) await io.out(`${printableText(formatViolation(one))}\n`)
  else await io.out(formatRows(found.map(rowOf), output))
  const [earliest] = found
  if (earliest !== undefined)
    throw new CliError(
      'FAILED',
      `${found.length} of ${Object.keys(rules).length} rules broken in ${events} events, the first at event ${earliest.event.i}`,
    )
  io.talk(`${events} events, no rule broken`)
}

function rowOf({ event, rule, seen, section }: Violation): Row {
  return { event: event.i, node: event.n, rule, seen, section }
}

async function* ofKinds(
  events: AsyncIterable<TimedEvent>,
  kinds: ReadonlySet<string>,
): AsyncGenerator<TimedEvent, void, undefined> {
  for await (const timed of events) if (kinds.has(timed.event.k)) yield timed
}

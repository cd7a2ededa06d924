/** `lab trace`: what happened, from the files of `--trace`. What the subcommands do stands in trace-views.ts. */
import { Option, type Command } from 'commander'
import { withExamples } from '../help.ts'
import type { Io } from '../io.ts'
import { addOutputOption } from '../output.ts'
import { parseCount, parseNumber } from '../parse.ts'
import { html, type HtmlFlags } from './trace-html.ts'
import {
  check,
  explainEvent,
  filter,
  showColumns,
  stats,
  type ColsFlags,
  type ViewFlags,
} from './trace-views.ts'

const EXAMPLES = `
  lab trace cols n1.jsonl n2.jsonl n3.jsonl            a column for each node
  lab trace cols traces --filter '-heartbeat'          all *.jsonl of a folder, without heartbeats
  lab trace cols run.jsonl --width 200 | less -S       wider than the terminal
  lab trace check traces                               which rules of the paper were broken, and where first
  lab trace explain 117 run.jsonl                      the chain of causes that led to event 117
  lab trace filter 'type=RequestVote after:"crash 1" within:500ms' run.jsonl
  lab trace html run.jsonl -o run.html                 a page to click through
  lab trace stats run.jsonl.gz                         elections, messages, latencies, faults`

const FILTER_HELP = `
The filter is words that must all hold; a word with - before it must not.
  node=n1,n2  term>=4  type=AppendEntries  index=7  why~behind     fields: = != >= <= > < and ~ for "contains"
  role  fault  election  heartbeat  "leader, term 3"               a kind, a topic, a message, heartbeats, or any text
  after:"crash 1"  before:"election 2"  within:50ms                from one moment, to another, for so long`

const FILES = 'trace files, folders of them, or - for standard input'

export function addTraceCommands(program: Command, io: Io): void {
  const trace = withExamples(program.command('trace').description('look at traces'), EXAMPLES)
  const command = (name: string, description: string): Command =>
    withExamples(trace.command(name).description(description).argument('<files...>', FILES), EXAMPLES)

  command('cols', 'one column per node, time runs down')
    .addOption(new Option('--filter <words>', 'only these events'))
    .addOption(new Option('--kinds <list>', 'only these kinds of events, such as role,commit,fault'))
    .addOption(new Option('--width <characters>', 'of a line (default: the terminal)').argParser(parseCount))
    .addHelpText('after', FILTER_HELP)
    .action((files: string[], flags: ColsFlags) => showColumns(files, flags, io))
  addOutputOption(command('check', "hold a trace to Raft's rules")).action(
    (files: string[], flags: ViewFlags) => check(files, flags, io),
  )
  addOutputOption(command('stats', 'elections, messages, latencies, faults')).action(
    (files: string[], flags: ViewFlags) => stats(files, flags, io),
  )
  command('html', 'one page that shows the trace, opens from a file and needs no network')
    .addOption(new Option('-o, --out <file>', 'where to; - for standard output (default: beside you, .html)'))
    .addOption(new Option('--filter <words>', 'only these events'))
    .addHelpText('after', FILTER_HELP)
    .action((files: string[], flags: HtmlFlags) => html(files, flags, io))
  withExamples(addOutputOption(trace.command('filter')), EXAMPLES)
    .description('the events that a filter lets through')
    .argument('<words>', 'the filter, in quotes')
    .argument('<files...>', FILES)
    .addHelpText('after', FILTER_HELP)
    .action((words: string, files: string[], flags: ViewFlags) => filter(words, files, flags, io))
  withExamples(addOutputOption(trace.command('explain')), EXAMPLES)
    .description('the chain of causes that led to an event')
    .argument('<event>', 'its number, as cols and check show it', parseNumber)
    .argument('<files...>', FILES)
    .action((event: number, files: string[], flags: ViewFlags) => explainEvent(event, files, flags, io))
}

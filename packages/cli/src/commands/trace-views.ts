/** What the subcommands of `lab trace` print. */
import {
  columns,
  describe,
  explain,
  formatExplanation,
  formatViolation,
  parseFilter,
  rules,
  TraceChecker,
  TraceStats,
  type TimedEvent,
  type Violation,
} from '@lab/trace'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'
import { formatRow, formatRows, printableText, type Format, type Row } from '../output.ts'
import { splitList } from '../parse.ts'
import { openStory, type Story } from '../trace-input.ts'
import { summaryLines } from './trace-summary.ts'

export interface ViewFlags {
  readonly output: Format
}

export interface ColsFlags {
  readonly filter?: string
  readonly kinds?: string
  readonly width?: number
}

export async function showColumns(paths: readonly string[], flags: ColsFlags, io: Io): Promise<void> {
  const watch = parseFilter(flags.filter ?? '')()
  const kinds = flags.kinds === undefined ? null : new Set(splitList(flags.kinds))
  const { nodes, story } = await openStory(paths, io)
  const hidden = { count: 0 }
  const wanted = (timed: TimedEvent): boolean => watch(timed) && (kinds?.has(timed.event.k) ?? true)
  const { color, width } = io
  for await (const line of columns(only(story, wanted, hidden), {
    nodes,
    color,
    width: flags.width ?? width,
  })) {
    if (io.signal.aborted) return
    await io.out(`${line}\n`)
  }
  if (hidden.count > 0) io.talk(`${hidden.count} events hidden`)
}

export async function filter(
  words: string,
  paths: readonly string[],
  { output }: ViewFlags,
  io: Io,
): Promise<void> {
  const watch = parseFilter(words)()
  const { story } = await openStory(paths, io)
  const hidden = { count: 0 }
  let first: number | null = null
  const rows: Row[] = []
  for await (const timed of startedAt(story, (time) => (first = time))) {
    if (io.signal.aborted) return
    if (!watch(timed)) {
      hidden.count++
      continue
    }
    // Only a JSON document needs its end before its beginning.
    if (output === 'json') rows.push(timed.event)
    else await io.out(filterLine(timed, first ?? timed.time, output))
  }
  if (output === 'json') await io.out(formatRows(rows, output))
  io.talk(`${hidden.count} events hidden`)
}

function filterLine({ event, time }: TimedEvent, first: number, output: Format): string {
  if (output === 'jsonl') return `${JSON.stringify(event)}\n`
  const seconds = ((time - first) / 1e6).toFixed(4)
  return `${String(event.i).padStart(7)} ${seconds.padStart(10)}  ${event.n.padEnd(4)} ${event.g === undefined ? '' : `${event.g}: `}${describe(event)}\n`
}

/** Prints the first event that breaks each rule. @throws {CliError} `FAILED` when there is one */
export async function check(paths: readonly string[], { output }: ViewFlags, io: Io): Promise<void> {
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
      `${found.length} of ${Object.keys(rules).length} rules broken in ${events} events; how it came to the first: lab trace explain ${earliest.event.i} ${paths.join(' ')}`,
    )
  io.talk(`${events} events, no rule broken`)
}

function rowOf({ event, rule, seen, section }: Violation): Row {
  return { event: event.i, node: event.n, rule, seen, section }
}

export async function stats(paths: readonly string[], { output }: ViewFlags, io: Io): Promise<void> {
  const { story } = await openStory(paths, io)
  const counted = new TraceStats()
  for await (const timed of story) counted.feed(timed)
  const summary = counted.summary()
  await io.out(formatRow({ ...summary }, output, printableText(summaryLines(summary).join('\n'))))
}

/** @throws {CliError} `NOT_FOUND` when there is no such event */
export async function explainEvent(
  event: number,
  paths: readonly string[],
  { output }: ViewFlags,
  io: Io,
): Promise<void> {
  const steps = explain(await until(await openStory(paths, io), event), event)
  if (steps.length === 0) throw new CliError('NOT_FOUND', `there is no event ${event}`)
  const rows = steps.map((step) => ({
    event: step.event.i,
    seconds: step.seconds,
    node: step.event.n,
    text: step.text,
    likely: step.likely,
  }))
  await io.out(output === 'table' ? `${formatExplanation(steps).join('\n')}\n` : formatRows(rows, output))
}

/** The story up to the event: nothing comes of what is later. */
async function until({ story }: Story, event: number): Promise<TimedEvent[]> {
  const events: TimedEvent[] = []
  for await (const timed of story) {
    events.push(timed)
    if (timed.event.i === event) break
  }
  return events
}

async function* only(
  events: AsyncIterable<TimedEvent>,
  wanted: (timed: TimedEvent) => boolean,
  hidden: { count: number },
): AsyncGenerator<TimedEvent, void, undefined> {
  for await (const timed of events)
    if (wanted(timed)) yield timed
    else hidden.count++
}

async function* startedAt(
  events: AsyncIterable<TimedEvent>,
  tell: (time: number) => void,
): AsyncGenerator<TimedEvent, void, undefined> {
  let started = false
  for await (const timed of events) {
    if (!started) tell(timed.time)
    started = true
    yield timed
  }
}

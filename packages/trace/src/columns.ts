/**
 * A trace as a table: time runs down, a column for each node, as wide as the terminal.
 *
 *        1     0.0000 │ starts: term 0, log │                     │
 *       17     0.8730 │                     │ leader, term 1      │
 *       18     0.9001 ── SIGKILL n2 ────────────────────────────────
 */
import type { TraceEvent } from '@lab/rpc'
import { describe } from './describe.ts'
import type { TimedEvent } from './parse.ts'
import { topicOf, type Topic } from './topics.ts'

export interface ColumnOptions {
  /** Whose columns there are, in this order. Events of others take a line of their own. */
  readonly nodes: readonly string[]
  /** Characters a line may have. */
  readonly width: number
  /** With ANSI colours, one for each kind of news. */
  readonly color?: boolean
}

const TIME_WIDTH = 18
const CELL_WIDTH_MIN = 14
const SEPARATOR = ' │ '

/** ANSI colours; messages in grey, as there are most of them. */
const COLORS: Readonly<Record<Topic, number>> = {
  ...{ election: 32, log: 36, snapshot: 34, disk: 90, message: 90 },
  ...{ client: 35, fault: 31, life: 33, shard: 33, note: 39 },
}

/** Lines for a terminal; the first names the columns. Times are seconds since the first event, `#` are the numbers of events. */
export async function* columns(
  events: AsyncIterable<TimedEvent>,
  options: ColumnOptions,
): AsyncGenerator<string, void, undefined> {
  const { nodes, width } = options
  const room = Math.floor((width - TIME_WIDTH) / Math.max(nodes.length, 1)) - SEPARATOR.length
  const cellWidth = Math.max(room, CELL_WIDTH_MIN)
  yield row(`${'#'.padStart(7)} ${'seconds'.padStart(10)}`, nodes, cellWidth)
  let start: number | null = null
  for await (const timed of events) {
    start ??= timed.time
    const time = ((timed.time - start) / 1e6).toFixed(4)
    const left = `${String(timed.event.i).padStart(7)} ${time.padStart(10)}`
    for (const line of eventLines(timed, left, cellWidth, options)) yield paint(line, timed, options)
  }
}

function eventLines(
  { event }: TimedEvent,
  time: string,
  cellWidth: number,
  options: ColumnOptions,
): string[] {
  const { nodes, width } = options
  const column = nodes.indexOf(event.n)
  if (column === -1) {
    const text = `${time.padStart(TIME_WIDTH)} ── ${event.n === '' ? '' : `${event.n}: `}${said(event)} `
    return [text.padEnd(width, '─')]
  }
  return wrap(said(event), cellWidth).map((piece, line) =>
    row(
      line === 0 ? time : '',
      nodes.map((_, at) => (at === column ? piece : '')),
      cellWidth,
    ),
  )
}

/** What a process of many groups does begins with the group that it does it for. */
function said(event: TraceEvent): string {
  return event.g === undefined ? describe(event) : `${String(event.g)}: ${describe(event)}`
}

function row(time: string, cells: readonly string[], cellWidth: number): string {
  const padded = cells.map((cell) => cell.padEnd(cellWidth))
  return [time.padStart(TIME_WIDTH), ...padded].join(SEPARATOR).trimEnd()
}

function paint(line: string, { event }: TimedEvent, { color }: ColumnOptions): string {
  return color === true ? `\u001b[${COLORS[topicOf(event)]}m${line}\u001b[39m` : line
}

/** Breaks between words; a word longer than a line is cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let rest = text
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const end = space > 0 ? space : width
    lines.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

/** Trace events into a file, as JSON lines. */
import { closeSync, mkdirSync, openSync, readSync, fstatSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { TRACE_VERSION, type TraceFields, type TraceHeader, type TraceSink } from '@lab/rpc'

export interface TraceFileOptions {
  /** What ran, for people. */
  readonly what: string
  readonly nodes: readonly string[]
  /** Only these kinds, such as `role`, or `shard.frozen` for one kind of news of shards; all when missing. */
  readonly kinds?: ReadonlySet<string> | undefined
}

export interface TraceFile {
  readonly sink: TraceSink
  close(): void
}

const NEWLINE = 0x0a

/** Opens `path` for more: a process that starts again goes on in the file of the one before, with a header of its own. */
export function openTraceFile(path: string, { what, nodes, kinds }: TraceFileOptions): TraceFile {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, 'a+')
  // From wall clock and monotonic clock together, so that times never run backwards within a file.
  const start = performance.timeOrigin
  const header: TraceHeader = { v: TRACE_VERSION, what, start, nodes }
  writeSync(file, `${endsWithinLine(file) ? '\n' : ''}${JSON.stringify(header)}\n`)

  let index = 0
  let waiting = ''
  let open = true
  const flush = (): void => {
    if (open && waiting !== '') writeSync(file, waiting)
    waiting = ''
  }
  return {
    sink: (event) => {
      index++
      if (!open || !isWanted(event, kinds)) return index
      // One write for the events of a turn; a process that is killed has lost at most this turn's.
      if (waiting === '') setImmediate(flush)
      waiting += `${JSON.stringify({ i: index, t: Math.round(performance.now() * 1000), ...event })}\n`
      return index
    },
    close: () => {
      flush()
      if (open) closeSync(file)
      open = false
    },
  }
}

function isWanted(event: TraceFields, kinds: ReadonlySet<string> | undefined): boolean {
  return kinds === undefined || kinds.has(event.k) || kinds.has(`${event.k}.${String(event['what'])}`)
}

/** A killed process may have left half a line. */
function endsWithinLine(file: number): boolean {
  const { size } = fstatSync(file)
  if (size === 0) return false
  const last = new Uint8Array(1)
  readSync(file, last, 0, 1, size - 1)
  return last[0] !== NEWLINE
}

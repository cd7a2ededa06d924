import type { TraceHeader } from '@lab/rpc'
import { TraceError, TraceParser, type TimedEvent } from './parse.ts'

/** An opened trace: its first header, and its events in the order of the file. */
export interface TraceReader {
  readonly header: TraceHeader
  readonly events: AsyncIterable<TimedEvent>
}

/**
 * Reads a trace as its bytes come, holding one chunk at a time.
 *
 * @param name of the file, for messages
 * @throws {TraceError} when it does not begin as a trace does; the events throw it too when a later line is damaged
 */
export async function readTrace(chunks: AsyncIterable<Uint8Array>, name: string): Promise<TraceReader> {
  const parser = new TraceParser(name)
  const events = parseLines(chunks, parser)
  const first = await events.next()
  const { header } = parser
  if (header === null)
    throw new TraceError('BAD_TRACE', `${name} holds no trace: it has no header line {"v":1,…}`)
  return { header, events: first.done === true ? nothing() : startingWith(first.value, events) }
}

async function* parseLines(
  chunks: AsyncIterable<Uint8Array>,
  parser: TraceParser,
): AsyncGenerator<TimedEvent, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const event = parser.line(line)
      if (event !== null) yield event
    }
  }
  const last = parser.line(rest + decoder.decode())
  if (last !== null) yield last
}

async function* startingWith<T>(
  first: T,
  rest: AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  yield first
  yield* rest
}

async function* nothing(): AsyncGenerator<TimedEvent, void, undefined> {
  yield* []
}

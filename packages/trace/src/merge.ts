import type { TimedEvent } from './parse.ts'

interface Source {
  readonly iterator: AsyncIterator<TimedEvent>
  next: TimedEvent
}

/**
 * One stream out of several, in the order of time; what happened in the same microsecond comes in the order of the
 * sources. Holds one event of each. Clocks of several machines agree only as well as somebody keeps them.
 */
export async function* mergeTraces(
  traces: readonly AsyncIterable<TimedEvent>[],
): AsyncGenerator<TimedEvent, void, undefined> {
  const sources: Source[] = []
  for (const trace of traces) {
    const iterator = trace[Symbol.asyncIterator]()
    const first = await iterator.next()
    if (first.done !== true) sources.push({ iterator, next: first.value })
  }
  while (sources.length > 0) {
    const earliest = sources.reduce((a, b) => (b.next.time < a.next.time ? b : a))
    yield earliest.next
    const following = await earliest.iterator.next()
    if (following.done === true) sources.splice(sources.indexOf(earliest), 1)
    else earliest.next = following.value
  }
}

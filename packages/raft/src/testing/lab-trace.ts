import type { Clock, TraceEvent, TraceFields, TraceSink } from '@lab/rpc'

/** Numbers events and stamps them with the clock's time, in µs, before they go to `receive`. */
export function stampedSink(clock: Clock, receive: (event: TraceEvent) => void): TraceSink {
  let count = 0
  return (fields: TraceFields): number => {
    const event = { i: ++count, t: Math.round(clock.now() * 1000), ...fields }
    receive(event)
    return event.i
  }
}

import type { Clock, TraceEvent, TraceFields, TraceSink } from '@lab/rpc'
import type { LabDescribe } from './lab-interface.ts'

/** Numbers events and stamps them with the clock's time, in µs, before they go to `receive`. */
export function stampedSink(clock: Clock, receive: (event: TraceEvent) => void): TraceSink {
  let count = 0
  return (fields: TraceFields): number => {
    const event = { i: ++count, t: Math.round(clock.now() * 1000), ...fields }
    receive(event)
    return event.i
  }
}

/** What a call says, for the trace, as long as nobody knows better: a JSON object itself, bytes nothing. */
export const describeLabJson: LabDescribe = (_method, value) => {
  const isObject = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
  return isObject ? { ...value } : {}
}

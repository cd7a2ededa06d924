import { TRACE_VERSION, type TraceFields, type TraceHeader, type TraceSink } from '@lab/rpc'

/** The newest events, in memory: what happened just before somebody asks. Messages are left out, or they would be all of it. */
export class TraceRing {
  readonly #node: string
  readonly #events: { readonly i: number; readonly t: number; readonly event: TraceFields }[] = []
  readonly #size: number
  #next = 1

  constructor(node: string, size: number) {
    this.#node = node
    this.#size = size
  }

  /** Passes events on to `also`, whose numbers count then. */
  sink(also: TraceSink | undefined): TraceSink {
    const take = (event: TraceFields): number => {
      const i = also === undefined ? this.#next++ : also(event)
      if (event.k !== 'send' && event.k !== 'recv' && event.k !== 'drop')
        this.#events[i % this.#size] = { i, t: Math.round(performance.now() * 1000), event }
      return i
    }
    return Object.assign(take, { messages: also !== undefined && also.messages !== false })
  }

  /** A trace file of the last `seconds`, or of all that is left. */
  dump(seconds = Infinity): string {
    const since = performance.now() * 1000 - seconds * 1e6
    const header: TraceHeader = {
      v: TRACE_VERSION,
      what: `the last of ${this.#node}`,
      start: performance.timeOrigin,
      nodes: [this.#node],
    }
    const events = this.#events.filter(({ t }) => t >= since).sort((a, b) => a.i - b.i)
    return [header, ...events.map(({ i, t, event }) => ({ i, t, ...event }))]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join('')
  }
}

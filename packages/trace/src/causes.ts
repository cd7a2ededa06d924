/** What an event came of: what it says itself, and what can be told from where it stands. */
import type { TraceEvent } from '@lab/rpc'
import { taskOf } from './describe.ts'

/** How sure it is: `said` by the trace, or the `likely` one, as the last that happened at that node at that very moment. */
export interface Cause {
  readonly event: TraceEvent
  readonly how: 'said' | 'likely'
}

/** Finds causes in a story held in memory. */
export class Causes {
  readonly #byNumber = new Map<number, TraceEvent>()
  readonly #sends = new Map<string, TraceEvent>()
  readonly #receipts = new Map<string, TraceEvent>()
  /** For each event that does not say its cause, what came in at its node just before. */
  readonly #likely = new Map<number, TraceEvent>()
  /** Of a task of MapReduce what became of it before. */
  readonly #before = new Map<number, TraceEvent>()

  constructor(events: Iterable<TraceEvent>) {
    const latest = new Map<string, TraceEvent>()
    const tasks = new Map<string, TraceEvent>()
    for (const event of events) {
      const { i, k, m, n, c, t } = event
      this.#byNumber.set(i, event)
      if (m !== undefined && k === 'send') this.#sends.set(m, event)
      if (m !== undefined && k === 'recv') this.#receipts.set(m, event)
      if (k === 'task') {
        const earlier = tasks.get(taskOf(event))
        if (earlier !== undefined) this.#before.set(i, earlier)
        tasks.set(taskOf(event), event)
      }
      const before = latest.get(n)
      if (isInput(event)) latest.set(n, event)
      else if (c === undefined && before?.t === t) this.#likely.set(i, before)
    }
  }

  /** The event of that number. */
  at(number: number): TraceEvent | undefined {
    return this.#byNumber.get(number)
  }

  /** The sending of a message that arrived or was lost. */
  sendOf({ m }: TraceEvent): TraceEvent | undefined {
    return m === undefined ? undefined : this.#sends.get(m)
  }

  causeOf(event: TraceEvent): Cause | undefined {
    const { k, m, c } = event
    const named = c === undefined ? this.#before.get(event.i) : this.at(c)
    const said = k === 'recv' || k === 'drop' ? this.sendOf(event) : named
    if (said !== undefined) return { event: said, how: 'said' }
    // The labs' network: a reply has its request's id and an r behind it.
    const asked = k === 'send' && m?.endsWith('r') === true ? this.#receipts.get(m.slice(0, -1)) : undefined
    if (asked !== undefined) return { event: asked, how: 'said' }
    const likely = this.#likely.get(event.i)
    return likely === undefined ? undefined : { event: likely, how: 'likely' }
  }

  /** From `event`, which comes first, back to what began it. */
  chain(event: TraceEvent): Cause[] {
    const chain: Cause[] = [{ event, how: 'said' }]
    const seen = new Set([event.i])
    for (
      let cause = this.causeOf(event);
      cause !== undefined && !seen.has(cause.event.i);
      cause = this.causeOf(cause.event)
    ) {
      chain.push(cause)
      seen.add(cause.event.i)
    }
    return chain
  }
}

function isInput({ k }: TraceEvent): boolean {
  return k === 'recv' || k === 'timer' || k === 'call' || k === 'start'
}

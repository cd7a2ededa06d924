import type { TraceEvent } from '@lab/rpc'
import type { TimedEvent } from '../parse.ts'
import { matchesText } from './match.ts'

/** Words for what people look for, besides kinds, topics and text. */
const NAMED: Readonly<Record<string, (event: TraceEvent) => boolean>> = {
  election: ({ k, role }) => k === 'role' && role === 'leader',
  crash: ({ k, what, why }) => (k === 'fault' && what === 'crash') || (k === 'stop' && why === 'crash'),
  violation: ({ k }) => k === 'invariant',
}

/** Finds a moment of a story: `election 2` is the second election, `crash` the first crash, `event 17` the event of that number. */
export class Moments {
  readonly #is: (event: TraceEvent) => boolean
  #left: number

  constructor(text: string) {
    const [, name = text, ordinal = '1'] = /^(.*\S)\s+(\d+)$/.exec(text.trim()) ?? []
    const isNumber = name === 'event'
    this.#left = isNumber ? 1 : Number(ordinal)
    this.#is = isNumber
      ? ({ i }) => i >= Number(ordinal)
      : (NAMED[name] ?? ((event) => matchesText(event, name)))
  }

  /** True once: at the event that is meant. */
  isIt({ event }: TimedEvent): boolean {
    return this.#left > 0 && this.#is(event) && --this.#left === 0
  }
}

import type { Milliseconds } from '../clock.ts'

/** What a link does to the messages that cross it in one direction. Rates are from 0 to 1. */
export interface LinkConditions {
  /** Least and most time that a message takes, drawn evenly. */
  readonly latencyMs: readonly [min: Milliseconds, max: Milliseconds]
  /** How many messages never arrive. */
  readonly lossRate: number
  /** How many messages arrive twice. */
  readonly duplicationRate: number
  /** May a message overtake an earlier one of its channel? Off: one that drew a long time holds up the later ones. */
  readonly reordering: boolean
  /** Some messages are kept back for longer: for `min` and up to `spread` more, short times being likelier. */
  readonly hold: { readonly rate: number; readonly min: Milliseconds; readonly spread: Milliseconds } | null
}

/** Nothing is lost, and every hop costs a little, so that a closed loop cannot stop virtual time. */
export const reliableLink: LinkConditions = {
  latencyMs: [0.2, 1],
  lossRate: 0,
  duplicationRate: 0,
  reordering: false,
  hold: null,
}

/** Conditions for the two directions of a channel: away from the end that dialled, and back to it. */
export interface LabPreset {
  readonly requests: LinkConditions
  readonly replies: LinkConditions
}

/**
 * The labs' network, message by message: unreliable, 0–26 ms of delay for requests and 10 % of messages lost; with long
 * reordering, two replies in three held back for 0.2–2.2 s. Call by call, with its counters, it is `LabNetwork`.
 */
export function labConditions(options: {
  readonly reliable?: boolean
  readonly longReordering?: boolean
}): LabPreset {
  const reliable = options.reliable ?? true
  const base: LinkConditions = reliable ? reliableLink : { ...reliableLink, lossRate: 0.1, reordering: true }
  const [min, max] = base.latencyMs
  return {
    requests: reliable ? base : { ...base, latencyMs: [min, max + 26] },
    replies:
      options.longReordering === true
        ? { ...base, reordering: true, hold: { rate: 2 / 3, min: 200, spread: 1999 } }
        : base,
  }
}

/**
 * Leaders overthrown one after the other, each while it takes itself for the leader: what a server promised for a time is worth
 * something only then. Drawn one by one these faults hardly ever meet within the half second in which an election happens.
 *
 *     alone      leader │ the others
 *     bridged    leader ── bridge ── the others      and the bridge forgets what it heard: killed, started, killed, …
 *     late       what is sent to the leader takes its time, before and meanwhile
 */
import type { Milliseconds, Random } from '@lab/rpc'
import { LEADER, type Fault } from './fault.ts'

/** Between two beginnings: enough for the next leader to be elected, and to begin its work. */
const ROUND_MS: readonly [min: Milliseconds, max: Milliseconds] = [600, 1000]
const CUT_MS: readonly [min: Milliseconds, max: Milliseconds] = [350, 800]
/** Deaths are so short, and so close, that an election timeout holds several. */
const DOWN_MS_MAX = 20
const DEATH_GAP_MS = 120
const LATE_MS_MAX = 300

export interface CoupOptions {
  readonly machines: readonly string[]
  readonly random: Random
  readonly at: Milliseconds
  readonly forMs: Milliseconds
}

/** Rounds from `at` on. */
export function drawCoups({ machines, random, at, forMs }: CoupOptions): Fault[] {
  const faults: Fault[] = []
  for (let from = at; from < at + forMs; from += between(ROUND_MS, random))
    faults.push(...drawRound(machines, random, Math.round(from)))
  return faults
}

function drawRound(machines: readonly string[], random: Random, at: Milliseconds): Fault[] {
  const forMs = Math.round(between(CUT_MS, random))
  const bridge = random.next() < 0.5 ? null : (machines[random.integer(0, machines.length - 1)] as string)
  const near = bridge === null ? [LEADER] : [LEADER, bridge]
  const faults: Fault[] = [{ what: 'partition', groups: [near, machines], at, forMs }]
  if (bridge !== null) faults.push(...drawDeaths(bridge, random, { at, forMs }))
  if (random.next() < 0.3) {
    const lead = random.integer(0, LATE_MS_MAX)
    const latencyMsMax = 1 + random.next() * LATE_MS_MAX
    faults.push({
      ...{ what: 'slow-inbox', on: LEADER, latencyMsMax, at: Math.max(0, at - lead), forMs: forMs + lead },
    })
  }
  return faults
}

function drawDeaths(on: string, random: Random, span: Pick<Fault, 'at' | 'forMs'>): Fault[] {
  const faults: Fault[] = []
  let at = span.at + random.next() * 2 * DEATH_GAP_MS
  for (; at < span.at + span.forMs; at += random.next() * 2 * DEATH_GAP_MS)
    faults.push({ what: 'kill', on, at: Math.round(at), forMs: random.integer(1, DOWN_MS_MAX) })
  return faults
}

function between([min, max]: readonly [Milliseconds, Milliseconds], random: Random): Milliseconds {
  return min + random.next() * (max - min)
}

/**
 * Swarm testing: each seed has some kinds of faults and not others, and each as often and as strong as it draws. All at
 * once they hide each other: a cluster that never gets to commit never gets to lose anything.
 */
import type { Milliseconds, Random } from '@lab/rpc'
import { drawCoups } from './coup.ts'
import { LEADER, type BadLink, type Fault, type FaultKind, type FaultName, type Target } from './fault.ts'

type Trouble = Exclude<FaultName, 'operate'>

/** Every kind of fault, with how long it lasts, in milliseconds. */
const LASTS: Readonly<Record<Trouble, readonly [min: Milliseconds, max: Milliseconds]>> = {
  kill: [1, 1500],
  crash: [1, 2000],
  blackout: [10, 500],
  pause: [50, 2000],
  partition: [100, 3000],
  'one-way': [100, 2500],
  'bad-link': [200, 3000],
  'clock-rate': [500, 5000],
  'clock-jump': [1, 1],
  'slow-disk': [200, 2500],
  'failing-disk': [50, 800],
  'full-disk': [200, 1500],
  'bit-flip': [50, 500],
  'slow-inbox': [300, 2500],
  coup: [1500, 6000],
}

/** Those drawn unless a scenario names its own: `slow-inbox` and `coup` are aimed at promises that rest on time. */
export const FAULT_NAMES = ([...Object.keys(LASTS), 'operate'] as readonly FaultName[]).filter(
  (name) => name !== 'slow-inbox' && name !== 'coup',
)

const OPERATE_SHARE = 0.5
const OPERATE_GAP_MS = 700

export interface SwarmOptions {
  readonly random: Random
  readonly machines: readonly string[]
  readonly durationMs: Milliseconds
  /** Kinds to choose from. */
  readonly among: readonly FaultName[]
  /** How much faster or slower than others a clock may run, as a part of one. Default: many times. */
  readonly clockDriftMax?: number | undefined
  /** Of seeds in which an operator acts, and how often one does. Default: half, 700 ms. */
  readonly operateShare?: number | undefined
  readonly operateGapMs?: Milliseconds | undefined
}

/** The faults of one run, in the order of time. */
export function drawFaults(options: SwarmOptions): Fault[] {
  const { among } = options
  const troubles = drawTroubles({ ...options, among: among.filter((name) => name !== 'operate') })
  return among.includes('operate')
    ? [...troubles, ...drawActs(options)].sort((a, b) => a.at - b.at)
    : troubles
}

/** An operator is no trouble: what it does takes time in a cluster that works. */
function drawActs({ random, durationMs, operateShare, operateGapMs }: SwarmOptions): Fault[] {
  const acts: Fault[] = []
  if (random.next() >= (operateShare ?? OPERATE_SHARE)) return acts
  const gapMs = 2 * (operateGapMs ?? OPERATE_GAP_MS)
  for (let at = random.next() * gapMs; at < durationMs; at += random.next() * gapMs)
    acts.push({ what: 'operate', draw: random.integer(0, 2 ** 31), at: Math.round(at), forMs: 1 })
  return acts
}

function drawTroubles({ random, machines, durationMs, among, clockDriftMax }: SwarmOptions): Fault[] {
  const names = among.filter(() => random.next() < 0.4)
  if (names.length === 0) return []
  const meanGapMs = 150 + random.next() * 1200
  const faults: Fault[] = []
  // A bit may rot on one machine a run, and then its disk does nothing else: a majority must keep what it has promised.
  const rotting = machines[random.integer(0, machines.length - 1)] as string
  let rotten = false
  for (let at = random.next() * meanGapMs; at < durationMs; at += random.next() * 2 * meanGapMs) {
    const what = names[random.integer(0, names.length - 1)] as Trouble
    if (what === 'bit-flip' && rotten) continue
    rotten ||= what === 'bit-flip'
    const [min, max] = LASTS[what]
    const forMs = Math.round(min + random.next() * random.next() * (max - min))
    if (what === 'coup') {
      faults.push(...drawCoups({ machines, random, at: Math.round(at), forMs }))
      continue
    }
    const kind = what === 'bit-flip' ? bitFlip(rotting, random) : drawKind(what, machines, random)
    faults.push({ ...within(clockDriftMax, kind), at: Math.round(at), forMs })
  }
  return faults.sort((a, b) => a.at - b.at)
}

/** Who relies on clocks says how far: there they keep to it. */
function within(driftMax: number | undefined, kind: FaultKind): FaultKind {
  if (kind.what !== 'clock-rate' || driftMax === undefined) return kind
  return { ...kind, rate: 1 + driftMax * Math.min(1, Math.max(-1, kind.rate - 1)) }
}

function bitFlip(on: Target, random: Random): FaultKind {
  return { what: 'bit-flip', on, draw: random.integer(0, 2 ** 31) }
}

function drawKind(what: Exclude<Trouble, 'coup'>, machines: readonly string[], random: Random): FaultKind {
  const on = drawTarget(machines, random)
  switch (what) {
    case 'blackout':
      return { what }
    case 'partition':
      return { what, groups: drawGroups(machines, random) }
    case 'one-way':
      return { what, from: on, to: otherThan(on, machines, random) }
    case 'bad-link':
      return { what, link: drawLink(random) }
    case 'slow-inbox':
      return { what, on, latencyMsMax: 1 + random.next() * 400 }
    case 'clock-rate':
      return { what, on, rate: random.next() < 0.5 ? 0.8 + random.next() * 0.4 : 0.4 + random.next() * 2 }
    case 'clock-jump':
      return { what, on, byMs: random.integer(-3_600_000, 3_600_000) }
    case 'slow-disk':
      return { what, on, factor: 2 + random.next() * random.next() * 300 }
    case 'failing-disk':
      return { what, on, share: 0.02 + random.next() * 0.5 }
    case 'bit-flip':
      return bitFlip(on, random)
    case 'kill':
    case 'crash':
    case 'pause':
    case 'full-disk':
      return { what, on }
  }
}

/** Half of all faults look for the leader: the others mostly hit somebody whom nobody misses. */
function drawTarget(machines: readonly string[], random: Random): Target {
  return random.next() < 0.5 ? LEADER : (machines[random.integer(0, machines.length - 1)] as string)
}

function otherThan(target: Target, machines: readonly string[], random: Random): Target {
  const others = machines.filter((machine) => machine !== target)
  return others[random.integer(0, others.length - 1)] ?? target
}

/** Two halves, one alone, a bridge, or a ring in which everybody sees other neighbours. */
function drawGroups(machines: readonly string[], random: Random): readonly (readonly Target[])[] {
  const shuffled = shuffle(machines, random)
  const dice = random.next()
  if (dice < 0.25) return [[LEADER], machines]
  const middle = Math.floor(shuffled.length / 2)
  if (dice < 0.5 || shuffled.length < 3) return [shuffled.slice(0, middle), shuffled.slice(middle)]
  // The one in the middle is in both.
  if (dice < 0.8) return [shuffled.slice(0, middle + 1), shuffled.slice(middle)]
  return shuffled.map((machine, at) => [machine, shuffled[(at + 1) % shuffled.length] as string])
}

function drawLink(random: Random): BadLink {
  const loses = random.next() < 0.6
  return {
    lossRate: loses ? random.next() * 0.3 : 0,
    duplicationRate: random.next() < 0.5 ? random.next() * 0.3 : 0,
    reordering: random.next() < 0.5,
    latencyMsMax: random.next() < 0.5 ? 1 + random.next() * 30 : 1 + random.next() * 300,
  }
}

function shuffle(machines: readonly string[], random: Random): string[] {
  const shuffled = [...machines]
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = random.integer(0, at)
    const swapped = shuffled[at] as string
    shuffled[at] = shuffled[other] as string
    shuffled[other] = swapped
  }
  return shuffled
}

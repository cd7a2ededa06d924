import type { Milliseconds } from '@lab/rpc'

/** A machine by its name, or whoever leads when the fault begins. */
export type Target = string

/** The target that means whoever leads; nobody leads: a machine by chance of the seed. */
export const LEADER = 'leader'

/** What goes wrong on a link; see `LinkConditions` of the memory network. */
export interface BadLink {
  readonly lossRate: number
  readonly duplicationRate: number
  readonly reordering: boolean
  readonly latencyMsMax: Milliseconds
}

/** What a fault does, while it lasts. */
export type FaultKind =
  /** SIGKILL; started again at the end. */
  | { readonly what: 'kill'; readonly on: Target }
  /** The power goes, and what was not synced with it; started again at the end. */
  | { readonly what: 'crash'; readonly on: Target }
  /** The power of all machines at once. */
  | { readonly what: 'blackout' }
  /** SIGSTOP, then SIGCONT. */
  | { readonly what: 'pause'; readonly on: Target }
  /** Only machines of one group reach each other. A machine in two groups is a bridge. Those in none reach everybody. */
  | { readonly what: 'partition'; readonly groups: readonly (readonly Target[])[] }
  /** What `from` sends does not reach `to`; the other direction works. */
  | { readonly what: 'one-way'; readonly from: Target; readonly to: Target }
  | { readonly what: 'bad-link'; readonly link: BadLink }
  /** What is sent to it takes so long (at least: default 0.2 ms); what it sends does not. */
  | {
      readonly what: 'slow-inbox'
      readonly on: Target
      readonly latencyMsMin?: Milliseconds
      readonly latencyMsMax: Milliseconds
    }
  /** Its clock runs so many times as fast as the others'. */
  | { readonly what: 'clock-rate'; readonly on: Target; readonly rate: number }
  /** Somebody sets its wall clock; it stays. */
  | { readonly what: 'clock-jump'; readonly on: Target; readonly byMs: Milliseconds }
  /** Every operation of its disk takes so many times longer. */
  | { readonly what: 'slow-disk'; readonly on: Target; readonly factor: number }
  /** This share of syncs fails. */
  | { readonly what: 'failing-disk'; readonly on: Target; readonly share: number }
  | { readonly what: 'full-disk'; readonly on: Target }
  /** A bit of what was synced long ago flips while the power is off. Whoever starts there must refuse or not be affected. */
  | { readonly what: 'bit-flip'; readonly on: Target; readonly draw: number }
  /** Somebody changes the cluster: what the scenario's `operate` makes of `draw`. */
  | { readonly what: 'operate'; readonly draw: number }

/** A kind of fault to draw. `coup` is several: see `coup.ts`. */
export type FaultName = FaultKind['what'] | 'coup'

/** A fault of a plan: what, when, and for how long. Times count from the beginning of the run. */
export type Fault = FaultKind & { readonly at: Milliseconds; readonly forMs: Milliseconds }

/** In words, for the trace and for people. */
export function describeFault(fault: FaultKind): string {
  switch (fault.what) {
    case 'partition':
      return `partition ${fault.groups.map((group) => group.join(',')).join(' | ')}`
    case 'one-way':
      return `nothing from ${fault.from} to ${fault.to}`
    case 'bad-link': {
      const { lossRate, duplicationRate, reordering, latencyMsMax } = fault.link
      return `links lose ${percent(lossRate)}, double ${percent(duplicationRate)}, take up to ${String(Math.round(latencyMsMax))} ms${reordering ? ', any order' : ''}`
    }
    case 'slow-inbox':
      return `what is sent to ${fault.on} takes up to ${String(Math.round(fault.latencyMsMax))} ms`
    case 'clock-rate':
      return `clock of ${fault.on} runs ${fault.rate.toFixed(3)} times as fast`
    case 'clock-jump':
      return `clock of ${fault.on} set by ${String(fault.byMs)} ms`
    case 'slow-disk':
      return `disk of ${fault.on} ${String(Math.round(fault.factor))} times slower`
    case 'failing-disk':
      return `${percent(fault.share)} of syncs of ${fault.on} fail`
    case 'blackout':
      return 'power of all'
    case 'operate':
      return `an operator acts (${String(fault.draw)})`
    case 'kill':
    case 'crash':
    case 'pause':
    case 'full-disk':
    case 'bit-flip':
      return `${fault.what} ${fault.on}`
  }
}

function percent(share: number): string {
  return `${String(Math.round(share * 100))} %`
}

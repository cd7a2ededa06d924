/** What goes wrong between the servers of a fuzzed cluster. */
export interface Faults {
  loss: number
  duplication: number
  /** Of a message, in milliseconds; each draws its own, so that messages overtake each other. */
  delayMsMax: number
  diskMsMax: number
  /** Pairs that do not hear each other, as `a>b`. */
  readonly cut: Set<string>
}

export const CALM: Omit<Faults, 'cut'> = { loss: 0, duplication: 0, delayMsMax: 2, diskMsMax: 2 }

/** Replies kept at first; doubled whenever the client runs further ahead. */
const SLOTS_MIN = 4

/**
 * The replies of one client, by sequence number, from its oldest unacknowledged command on. A ring and no Map: under steady
 * churn a Map keeps replacing its table, and old tables keep everything alive that ever stood in them.
 */
export class ReplyWindow {
  #slots: (Uint8Array | undefined)[] = []
  #first: number
  #size = 0

  /** @param first the oldest sequence number that may still be asked for */
  constructor(first: number) {
    this.#first = first
  }

  /** Below it everything is acknowledged and forgotten; never decreases. */
  get firstUnacknowledged(): number {
    return this.#first
  }

  get size(): number {
    return this.#size
  }

  get(sequenceNumber: number): Uint8Array | undefined {
    if (sequenceNumber < this.#first || sequenceNumber >= this.#first + this.#slots.length) return undefined
    return this.#slots[sequenceNumber & (this.#slots.length - 1)]
  }

  /** Keeps `reply` for a command that has none, at or above {@link firstUnacknowledged}. */
  set(sequenceNumber: number, reply: Uint8Array): void {
    if (sequenceNumber >= this.#first + this.#slots.length) this.#grow(sequenceNumber)
    this.#slots[sequenceNumber & (this.#slots.length - 1)] = reply
    this.#size++
  }

  /** The client has everything below `sequenceNumber`. */
  acknowledge(sequenceNumber: number): void {
    const end = Math.min(sequenceNumber, this.#first + this.#slots.length)
    for (let number = this.#first; number < end && this.#size > 0; number++) {
      const at = number & (this.#slots.length - 1)
      if (this.#slots[at] === undefined) continue
      this.#slots[at] = undefined
      this.#size--
    }
    this.#first = Math.max(this.#first, sequenceNumber)
  }

  /** Sequence numbers and replies, ascending. */
  *entries(): Generator<readonly [number, Uint8Array], void, undefined> {
    for (let number = this.#first; number < this.#first + this.#slots.length; number++) {
      const reply = this.get(number)
      if (reply !== undefined) yield [number, reply]
    }
  }

  #grow(sequenceNumber: number): void {
    let length = Math.max(SLOTS_MIN, this.#slots.length)
    while (sequenceNumber >= this.#first + length) length *= 2
    const slots = new Array<Uint8Array | undefined>(length).fill(undefined)
    for (const [number, reply] of this.entries()) slots[number & (length - 1)] = reply
    this.#slots = slots
  }
}

const SLOTS_MIN = 64

/**
 * The calls in flight on one connection, by id. Ids count up; one whose place a long call still holds is skipped.
 *
 * Not a Map, for the garbage collector's sake: under steady churn a Map keeps replacing its table, each outlived one points
 * to its successor, and one that has grown old keeps every later one, with all the calls in them, until the next full
 * collection. That was a third of the time of a call.
 */
export class CallTable<Call extends { readonly id: number }> {
  #slots: (Call | undefined)[] = new Array<Call | undefined>(SLOTS_MIN).fill(undefined)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns the first id from `from` on that is free */
  freeId(from: number): number {
    // At most half of the places are taken, so that the next free one is near.
    if (this.#size * 2 >= this.#slots.length) this.#grow()
    let id = from
    while (this.#slots[id & (this.#slots.length - 1)] !== undefined) id++
    return id
  }

  get(id: number): Call | undefined {
    const call = this.#slots[id & (this.#slots.length - 1)]
    return call?.id === id ? call : undefined
  }

  /** Adds a call under its id, which is from {@link freeId}. */
  add(call: Call): void {
    this.#slots[call.id & (this.#slots.length - 1)] = call
    this.#size++
  }

  delete(call: Call): void {
    const at = call.id & (this.#slots.length - 1)
    if (this.#slots[at] !== call) return
    this.#slots[at] = undefined
    this.#size--
  }

  /** Empties the table. @returns what was in it, in the order of the ids */
  takeAll(): Call[] {
    const calls = this.#slots.filter((call) => call !== undefined).sort((a, b) => a.id - b.id)
    this.#slots = new Array<Call | undefined>(SLOTS_MIN).fill(undefined)
    this.#size = 0
    return calls
  }

  #grow(): void {
    const calls = this.#slots
    this.#slots = new Array<Call | undefined>(calls.length * 2).fill(undefined)
    // Two that differ modulo the smaller size differ modulo the larger.
    for (const call of calls) if (call !== undefined) this.#slots[call.id & (this.#slots.length - 1)] = call
  }
}

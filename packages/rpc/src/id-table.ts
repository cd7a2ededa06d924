const SLOTS_MIN = 64

/**
 * What is in flight on one connection, by ids that count up: a hash table with linear probing.
 *
 * Not a Map, for the garbage collector's sake. Under steady churn a Map keeps replacing its table, each outlived one points
 * to its successor, and one that has grown old keeps every later one, with all the calls in them, until the next full
 * collection. That was a third of the time of a call.
 */
export class IdTable<T extends { readonly id: number }> {
  #slots = emptySlots<T>(SLOTS_MIN)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: number): T | undefined {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let at = id & mask; ; at = (at + 1) & mask) {
      const thing = slots[at]
      if (thing === undefined || thing.id === id) return thing
    }
  }

  /** Adds `thing`, whose id is not in the table. */
  add(thing: T): void {
    // At most half of the places are taken, so that the next free one is near.
    if (this.#size * 2 >= this.#slots.length) this.#grow()
    this.#size++
    insert(this.#slots, thing)
  }

  /** @returns whether it was there */
  delete({ id }: T): boolean {
    const slots = this.#slots
    const mask = slots.length - 1
    let hole = id & mask
    while (slots[hole]?.id !== id) {
      if (slots[hole] === undefined) return false
      hole = (hole + 1) & mask
    }
    this.#size--
    // What follows without a gap moves up, or it would not be found any more.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const thing = slots[at]
      if (thing === undefined) break
      const distanceFromHome = (at - (thing.id & mask)) & mask
      const distanceFromHole = (at - hole) & mask
      if (distanceFromHome < distanceFromHole) continue
      slots[hole] = thing
      hole = at
    }
    slots[hole] = undefined
    return true
  }

  /** Everything, in the order of the ids. */
  values(): T[] {
    return this.#slots.filter((thing) => thing !== undefined).sort((a, b) => a.id - b.id)
  }

  clear(): void {
    this.#slots = emptySlots(SLOTS_MIN)
    this.#size = 0
  }

  #grow(): void {
    const larger = emptySlots<T>(this.#slots.length * 2)
    for (const thing of this.#slots) if (thing !== undefined) insert(larger, thing)
    this.#slots = larger
  }
}

function emptySlots<T>(count: number): (T | undefined)[] {
  return new Array<T | undefined>(count).fill(undefined)
}

function insert<T extends { readonly id: number }>(slots: (T | undefined)[], thing: T): void {
  const mask = slots.length - 1
  let at = thing.id & mask
  while (slots[at] !== undefined) at = (at + 1) & mask
  slots[at] = thing
}

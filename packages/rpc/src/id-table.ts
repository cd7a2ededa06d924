const SLOTS_MIN = 64

/** What an {@link IdTable} keeps. */
export interface Numbered<T> {
  readonly id: number
  /** The next in the same slot. Only the table touches it. */
  sameSlot: T | undefined
}

/**
 * What is in flight on one connection, by ids that count up: mostly one to a slot.
 *
 * Not a Map, for the garbage collector's sake. Under steady churn a Map keeps replacing its table, each outlived one points
 * to its successor, and one that has grown old keeps every later one, with all the calls in them, until the next full
 * collection. That was a third of the time of a call.
 */
export class IdTable<T extends Numbered<T>> {
  #slots = emptySlots<T>(SLOTS_MIN)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: number): T | undefined {
    let thing = this.#slots[id & (this.#slots.length - 1)]
    while (thing !== undefined && thing.id !== id) thing = thing.sameSlot
    return thing
  }

  /** Adds `thing`, whose id is not in the table. */
  add(thing: T): void {
    if (this.#size * 2 >= this.#slots.length) this.#grow()
    this.#size++
    insert(this.#slots, thing)
  }

  /** @returns whether it was there */
  delete(thing: T): boolean {
    const at = thing.id & (this.#slots.length - 1)
    const first = this.#slots[at]
    if (first === thing) this.#slots[at] = thing.sameSlot
    else {
      let before = first
      while (before !== undefined && before.sameSlot !== thing) before = before.sameSlot
      if (before === undefined) return false
      before.sameSlot = thing.sameSlot
    }
    thing.sameSlot = undefined
    this.#size--
    return true
  }

  /** Everything, in the order of the ids. */
  values(): T[] {
    const things: T[] = []
    for (const first of this.#slots)
      for (let thing = first; thing !== undefined; thing = thing.sameSlot) things.push(thing)
    return things.sort((a, b) => a.id - b.id)
  }

  clear(): void {
    this.#slots = emptySlots(SLOTS_MIN)
    this.#size = 0
  }

  #grow(): void {
    const things = this.values()
    this.#slots = emptySlots(this.#slots.length * 2)
    for (const thing of things) insert(this.#slots, thing)
  }
}

function emptySlots<T>(count: number): (T | undefined)[] {
  return new Array<T | undefined>(count).fill(undefined)
}

function insert<T extends Numbered<T>>(slots: (T | undefined)[], thing: T): void {
  const at = thing.id & (slots.length - 1)
  thing.sameSlot = slots[at]
  slots[at] = thing
}

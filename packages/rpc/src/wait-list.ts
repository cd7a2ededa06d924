/** Somebody's place in a {@link WaitList}. Only the list touches it. */
export interface Place<T> {
  /** Null when it has left. */
  who: T | null
  previous: Place<T> | null
  next: Place<T> | null
}

/**
 * Who waits, in the order of coming; whoever came leaves at no cost.
 *
 * Not a Set, for the garbage collector's sake, as with {@link IdTable}: the tables that a Set outgrows point to their successors, so once one
 * has grown old, whatever later ones held is kept until the next full collection. A place that was left points nowhere.
 */
export class WaitList<T> {
  #first: Place<T> | null = null
  #last: Place<T> | null = null

  get isEmpty(): boolean {
    return this.#first === null
  }

  /** Who has waited longest. */
  get first(): T | null {
    return this.#first?.who ?? null
  }

  add(who: T): Place<T> {
    const place: Place<T> = { who, previous: this.#last, next: null }
    if (this.#last === null) this.#first = place
    else this.#last.next = place
    this.#last = place
    return place
  }

  /** @returns whether it was still there */
  leave(place: Place<T>): boolean {
    if (place.who === null) return false
    const { previous, next } = place
    if (previous === null) this.#first = next
    else previous.next = next
    if (next === null) this.#last = previous
    else next.previous = previous
    place.who = null
    place.previous = null
    place.next = null
    return true
  }

  /** Takes who has waited longest; null when nobody waits. */
  shift(): T | null {
    const place = this.#first
    if (place === null) return null
    const { who } = place
    this.leave(place)
    return who
  }

  /** Takes all. */
  takeAll(): T[] {
    const all: T[] = []
    for (let who = this.shift(); who !== null; who = this.shift()) all.push(who)
    return all
  }
}

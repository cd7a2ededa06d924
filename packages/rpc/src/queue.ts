/** More places than these are not kept for what comes next. */
const KEPT_PLACES_MAX = 64

/** First in, first out, at a constant cost: `Array.prototype.shift` moves all that is left. One that runs empty allocates nothing. */
export class Queue<T> {
  /** What waits stands from `#first` to `#end`. */
  #items: (T | undefined)[] = []
  #first = 0
  #end = 0

  get length(): number {
    return this.#end - this.#first
  }

  push(item: T): void {
    if (this.#end === this.#items.length) this.#items.push(item)
    else this.#items[this.#end] = item
    this.#end++
  }

  /** Takes the oldest, or undefined when there is none. */
  shift(): T | undefined {
    if (this.#first === this.#end) return undefined
    const item = this.#items[this.#first]
    this.#items[this.#first++] = undefined
    if (this.#first === this.#end) this.#rewind()
    // Half of it is taken: worth moving the rest.
    else if (this.#first >= 32 && this.#first * 2 >= this.#end) {
      this.#items = this.#items.slice(this.#first, this.#end)
      this.#end -= this.#first
      this.#first = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#first = 0
    this.#end = 0
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let at = this.#first; at < this.#end; at++) yield this.#items[at] as T
  }

  #rewind(): void {
    if (this.#items.length > KEPT_PLACES_MAX) this.#items = []
    this.#first = 0
    this.#end = 0
  }
}

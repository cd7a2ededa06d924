/** What will happen, by time; of equal times in the order in which it was added. */
export class Schedule {
  readonly #items: { readonly at: number; readonly run: () => void }[] = []

  get first(): { readonly at: number; readonly run: () => void } | undefined {
    return this.#items[0]
  }

  take(): void {
    this.#items.shift()
  }

  add(at: number, run: () => void): void {
    let low = 0
    for (let high = this.#items.length; low < high;) {
      const middle = (low + high) >> 1
      if ((this.#items[middle]?.at ?? Infinity) <= at) low = middle + 1
      else high = middle
    }
    this.#items.splice(low, 0, { at, run })
  }
}

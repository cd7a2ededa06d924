/** Does one piece of work at a time, in the order in which they came; one that fails does not stop the next. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves when everything given so far is done. */
  async idle(): Promise<void> {
    await this.#last
  }
}

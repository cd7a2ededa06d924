/** A watch that is still being opened when it is first asked. */
export class OpeningWatch implements AsyncIterator<Uint8Array> {
  readonly #open: () => Promise<AsyncIterator<Uint8Array>>
  #watch: Promise<AsyncIterator<Uint8Array>> | null = null
  #isOver = false

  constructor(open: () => Promise<AsyncIterator<Uint8Array>>) {
    this.#open = open
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#isOver) return { done: true, value: undefined }
    this.#watch ??= this.#open()
    const watch = await this.#watch
    if (this.#isOver) await watch.return?.()
    return watch.next()
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#isOver = true
    const watch = await this.#watch?.catch(() => null)
    await watch?.return?.()
    return { done: true, value: undefined }
  }
}

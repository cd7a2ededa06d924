/** Listeners by event name. A listener that throws harms nobody else: its error goes to `onError`. */
export class Events<Map extends object> {
  readonly #listeners = new globalThis.Map<keyof Map, Set<(event: never) => void>>()
  /** What is told once and for all, by event name. */
  readonly #forGood = new globalThis.Map<keyof Map, unknown>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** @returns a function that takes the listener off again */
  on<Name extends keyof Map>(name: Name, listener: (event: Map[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    listeners.add(listener)
    if (this.#forGood.has(name)) queueMicrotask(() => this.#call(listener, this.#forGood.get(name)))
    return () => {
      listeners.delete(listener)
    }
  }

  /** Calls the listeners at once, in the order in which they came. */
  emit<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    const listeners = this.#listeners.get(name)
    if (listeners === undefined) return
    for (const listener of [...listeners]) this.#call(listener, event)
  }

  /** The same for what happens once: told also to those who listen only later, soon after. */
  emitForGood<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    this.#forGood.set(name, event)
    this.emit(name, event)
  }

  #call(listener: (event: never) => void, event: unknown): void {
    try {
      listener(event as never)
    } catch (error) {
      this.#onError(error)
    }
  }

  /** True when emitting makes sense: spares making the event. */
  has(name: keyof Map): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }
}

/** For each byte that anybody writes: enough that a group is caught up with even when it writes all of them. */
const COPIED_PER_GROWN = 4

/** How many bytes were written to the log since the start, copies left out. */
export class Growth {
  #bytes = 0
  #ended = false
  #waiting: (() => void)[] = []

  get bytes(): number {
    return this.#bytes
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#wake()
  }

  /** The log closes, or has failed. */
  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** Resolves when there are so many, or no more to come. */
  async reached(bytes: number): Promise<void> {
    while (this.#bytes < bytes && !this.#ended)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    if (this.#waiting.length > 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** What the log does for itself comes as steadily as what is written to it: a burst of copies would hold up everybody's writes. */
export class Pace {
  readonly #growth: Growth
  #until: number

  constructor(growth: Growth) {
    this.#growth = growth
    this.#until = growth.bytes
  }

  /** Resolves when more may be copied than these `bytes`. Where nobody writes, that is not before the log ends. */
  copied(bytes: number): Promise<void> {
    this.#until += bytes / COPIED_PER_GROWN
    return this.#growth.reached(this.#until)
  }
}

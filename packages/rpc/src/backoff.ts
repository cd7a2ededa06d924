import type { Milliseconds } from './clock.ts'
import type { Random } from './random.ts'

/** How a link comes back. All in milliseconds. */
export interface ReconnectOptions {
  /** Before the second attempt. Default 50. */
  readonly minMs?: Milliseconds
  /** Never longer than this. Default 2 000. */
  readonly maxMs?: Milliseconds
  /** After a refusal that trying again will hardly change. Default 5 000. */
  readonly refusedMs?: Milliseconds
}

/** Waits that double up to a bound, each drawn from its upper half so that many clients do not come back at once. Integers only. */
export class Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #refusedMs: number
  readonly #random: Random
  #boundMs: number

  constructor(options: ReconnectOptions, random: Random) {
    this.#minMs = Math.max(Math.round(options.minMs ?? 50), 1)
    this.#maxMs = Math.max(Math.round(options.maxMs ?? 2_000), this.#minMs)
    this.#refusedMs = Math.max(Math.round(options.refusedMs ?? 5_000), 1)
    this.#random = random
    this.#boundMs = this.#minMs
  }

  /** How long to wait now; the next one is up to twice as long. */
  next(): Milliseconds {
    const bound = this.#boundMs
    this.#boundMs = Math.min(bound * 2, this.#maxMs)
    return this.#random.integer(Math.ceil(bound / 2), bound)
  }

  nextAfterRefusal(): Milliseconds {
    return this.#random.integer(Math.ceil(this.#refusedMs / 2), this.#refusedMs)
  }

  reset(): void {
    this.#boundMs = this.#minMs
  }
}

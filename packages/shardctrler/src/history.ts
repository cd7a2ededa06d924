/** The configurations so far, from the oldest that somebody may still ask for. */
import { assert } from '@lab/rpc'
import { configCodec } from './config-codec.ts'
import type { Config } from './config.ts'

/** Kept as bytes: ten thousand configurations of a thousand shards are some megabytes, not some hundred. */
export class History {
  readonly #encoded: Uint8Array[]
  #firstNum: number
  #latest: Config

  /** @param encoded at least one, of numbers from `firstNum` on */
  constructor(firstNum: number, encoded: readonly Uint8Array[]) {
    const last = encoded.at(-1)
    assert(last !== undefined, 'a history has a configuration')
    this.#firstNum = firstNum
    this.#encoded = [...encoded]
    this.#latest = configCodec.decode(last)
    assert(this.#latest.num === firstNum + encoded.length - 1, 'configurations are numbered without gaps')
  }

  get latest(): Config {
    return this.#latest
  }

  /** The number of the oldest that is known. */
  get firstNum(): number {
    return this.#firstNum
  }

  /** All that are known, oldest first. */
  get encoded(): readonly Uint8Array[] {
    return this.#encoded
  }

  add(config: Config): void {
    assert(config.num === this.#latest.num + 1, 'configurations are numbered without gaps')
    this.#encoded.push(configCodec.encode(config))
    this.#latest = config
  }

  /** @param num `firstNum` to the latest's */
  at(num: number): Config {
    if (num === this.#latest.num) return this.#latest
    const bytes = this.#encoded[num - this.#firstNum]
    assert(bytes !== undefined, 'the configuration is known')
    return configCodec.decode(bytes)
  }

  /** Forgets those below `num`, never the latest. */
  forgetBelow(num: number): void {
    const count = Math.min(num, this.#latest.num) - this.#firstNum
    if (count <= 0) return
    this.#encoded.splice(0, count)
    this.#firstNum += count
  }
}

/** What reduce sees: each key once, in order, with its values (MapReduce §2.1). */
import type { KeyCodec, ValueCodec } from '../formats.ts'
import { compareBytes } from './compare.ts'
import { toInPlace, type InPlace } from './in-place.ts'
import { textKey } from './keys.ts'
import type { SortedRun } from './segment-reader.ts'
import { jsonValue } from './values.ts'

export interface GroupCodecs<K, V> {
  readonly key?: KeyCodec<K> | undefined
  readonly value?: ValueCodec<V> | undefined
}

const NO_VALUE = Symbol('no value')

/** The values of one key. A class, for one is made for each key: closures took longer than most that is done with them. */
class Values<V> implements Iterable<V>, Iterator<V> {
  readonly #groups: Groups<unknown, V>
  readonly #group: number
  #isTaken = false

  constructor(groups: Groups<unknown, V>, group: number) {
    this.#groups = groups
    this.#group = group
  }

  [Symbol.iterator](): Iterator<V> {
    if (this.#isTaken)
      throw new Error('the values of a key can be gone through once: keep those that you need again')
    this.#isTaken = true
    return this
  }

  next(): IteratorResult<V> {
    const value = this.#groups.take(this.#group)
    return value === NO_VALUE ? { done: true, value: undefined } : { done: false, value }
  }
}

/** Goes over the pairs of a run key by key. Nothing but the present key is kept, however many values it has. */
export class Groups<K, V> {
  readonly #run: SortedRun
  readonly #keyCodec: InPlace<K>
  readonly #valueCodec: InPlace<V>
  #keyBytes = new Uint8Array(256)
  #keyLength = 0
  /** The run stands at a pair that nobody has taken. */
  #pending = false
  #started = false
  #group = 0
  /** Pairs that the run has given and that were taken, or passed over. */
  #taken = 0

  constructor(run: SortedRun, codecs: GroupCodecs<K, V> = {}) {
    this.#run = run
    this.#keyCodec = toInPlace(codecs.key ?? (textKey as unknown as KeyCodec<K>))
    this.#valueCodec = toInPlace(codecs.value ?? (jsonValue as unknown as ValueCodec<V>))
  }

  /** Goes to the next key, past the values of the present one that nobody has taken; false after the last. */
  next(): boolean {
    if (!this.#started) {
      this.#started = true
      this.#pending = this.#run.next()
    } else while (this.#isSameKey()) this.#advance()
    this.#group++
    if (!this.#pending) return false
    this.#keepKey()
    return true
  }

  /** How many values were taken, or passed over. */
  get taken(): number {
    return this.#taken
  }

  get key(): K {
    return this.#keyCodec.read(this.#keyBytes, 0, this.#keyLength)
  }

  /** The key's bytes, valid until {@link next}. */
  get keyBytes(): Uint8Array {
    return this.#keyBytes.subarray(0, this.#keyLength)
  }

  /** Once, and only until {@link next}: values are read from the disk as they are taken. */
  get values(): Iterable<V> {
    return new Values(this, this.#group)
  }

  /** @internal The next value of the key of that number; {@link NO_VALUE} when there is none. */
  take(group: number): V | typeof NO_VALUE {
    if (group !== this.#group)
      throw new Error('the values of a key end with the reduce that they were given to')
    if (!this.#isSameKey()) return NO_VALUE
    const { bytes, pair } = this.#run
    const value = this.#valueCodec.read(bytes, pair.keyEnd, pair.end)
    this.#advance()
    return value
  }

  #advance(): void {
    this.#taken++
    this.#pending = this.#run.next()
  }

  #isSameKey(): boolean {
    if (!this.#pending) return false
    const { bytes, pair } = this.#run
    return compareBytes(this.#keyBytes, 0, this.#keyLength, bytes, pair.keyStart, pair.keyEnd) === 0
  }

  #keepKey(): void {
    const { bytes, pair } = this.#run
    this.#keyLength = pair.keyEnd - pair.keyStart
    if (this.#keyLength > this.#keyBytes.length) this.#keyBytes = new Uint8Array(this.#keyLength * 2)
    for (let i = 0; i < this.#keyLength; i++) this.#keyBytes[i] = bytes[pair.keyStart + i] as number
  }
}

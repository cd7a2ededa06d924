/** Pairs as they come, one after the other, until they are sorted and spilled. All in two typed arrays: the budget is the truth. */
import { DataError } from './errors.ts'
import type { InPlace } from './in-place.ts'
import { PAIR_BYTES_MAX, PAIR_HEADER_MAX, PairView, writeVarint } from './pairs.ts'

const FIRST_BYTES = 1 << 16
/** Per pair beside its bytes: where it begins, its partition, and what sorting takes: its place twice, and a packed key. */
export const INDEX_BYTES = 24

/** From here on it takes all of the budget at once: memory costs nothing before it is written to, and garbage does. */
const STEPS_MAX = 1 << 20

export class Arena {
  readonly #budget: number
  bytes = new Uint8Array(FIRST_BYTES)
  /** Bytes in use. */
  length = 0
  count = 0
  /** Where pair i begins. */
  offsets = new Uint32Array(FIRST_BYTES / 16)
  /** The partition of pair i. */
  partitions = new Uint32Array(FIRST_BYTES / 16)
  readonly #view = new PairView()

  /** @param budgetBytes what it may be expected to hold; it grows past it for a giant */
  constructor(budgetBytes = STEPS_MAX) {
    this.#budget = budgetBytes
  }

  /** Bytes of memory that the pairs take, and their sorting will. */
  get used(): number {
    return this.length + this.count * INDEX_BYTES
  }

  /** Forgets all pairs; a buffer that had grown beyond the budget for a giant is given back. */
  clear(): void {
    this.length = 0
    this.count = 0
    // Some more than the budget is kept: a buffer that is made anew for each spill is garbage faster than it is collected.
    if (this.bytes.length > 2 * this.#budget) this.bytes = new Uint8Array(FIRST_BYTES)
  }

  /** Room for a pair of a key and a value of at most this many bytes. @returns where the pair may begin */
  reserve(payloadMax: number): number {
    if (payloadMax > PAIR_BYTES_MAX)
      throw new DataError('TOO_LARGE', `a pair of up to ${payloadMax} bytes; the most is ${PAIR_BYTES_MAX}`)
    const end = this.length + payloadMax + PAIR_HEADER_MAX
    if (end > this.bytes.length) {
      const { length } = this.bytes
      const next = length < STEPS_MAX || length >= this.#budget ? length * 2 : this.#budget
      const grown = new Uint8Array(Math.max(end, next))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    if (this.count === this.offsets.length) this.#growIndex()
    return this.length
  }

  /** Appends a pair; its partition is set by {@link place}. @returns the number of the pair */
  append<K, V>(key: K, keyCodec: InPlace<K>, value: V, valueCodec: InPlace<V>): number {
    const keyMax = keyCodec.bytesMax(key)
    const valueMax = valueCodec.bytesMax(value)
    const at = this.reserve(keyMax + valueMax)
    const { bytes } = this
    // Lengths come first and are known last: written where they would be largest, then moved back.
    const keyStart = at + PAIR_HEADER_MAX
    const keyEnd = keyCodec.write(key, bytes, keyStart)
    const end = valueCodec.write(value, bytes, keyEnd)
    const payload = writeVarint(bytes, writeVarint(bytes, at, keyEnd - keyStart), end - keyEnd)
    bytes.copyWithin(payload, keyStart, end)
    return this.#commit(at, payload + end - keyStart)
  }

  /** Appends a pair of bytes. @returns the number of the pair */
  appendBytes(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): number {
    const at = this.reserve(keyEnd - keyStart + valueEnd - valueStart)
    const { bytes } = this
    let to = writeVarint(bytes, writeVarint(bytes, at, keyEnd - keyStart), valueEnd - valueStart)
    for (let i = keyStart; i < keyEnd; i++) bytes[to++] = key[i] as number
    for (let i = valueStart; i < valueEnd; i++) bytes[to++] = value[i] as number
    return this.#commit(at, to)
  }

  /** Appends the pair that stands at `start` of `pairs`. @returns the number of the pair */
  appendPair(pairs: Uint8Array, start: number): number {
    const view = this.#view
    if (!view.readAt(pairs, start, pairs.length)) throw new RangeError('a pair that goes past its buffer')
    const at = this.reserve(view.end - start)
    const { bytes } = this
    let to = at
    for (let i = start; i < view.end; i++) bytes[to++] = pairs[i] as number
    return this.#commit(at, to)
  }

  /**
   * Appends keys of `width` bytes without values. All are copied at once, to the end of the room that they will need, and
   * from there each to its place: a copy of a hundred bytes from another array takes a view of them.
   *
   * @returns the number of the first
   */
  appendKeys(keys: Uint8Array, width: number): number {
    const first = this.count
    const count = keys.length / width
    const header = writeVarint(new Uint8Array(PAIR_HEADER_MAX), 0, width) + 1
    let at = this.reserve(keys.length + count * header)
    const { bytes } = this
    let from = at + count * header
    bytes.set(keys, from)
    for (let i = 0; i < count; i++, from += width) {
      if (this.count === this.offsets.length) this.#growIndex()
      this.offsets[this.count++] = at
      at = writeVarint(bytes, at, width)
      bytes[at++] = 0
      bytes.copyWithin(at, from, from + width)
      at += width
    }
    this.length = at
    return first
  }

  /** Where pair `i` stands. Valid until the next call. */
  pair(i: number): PairView {
    this.#view.readAt(this.bytes, this.offsets[i] as number, this.length)
    return this.#view
  }

  #commit(at: number, end: number): number {
    const i = this.count++
    this.offsets[i] = at
    this.length = end
    return i
  }

  #growIndex(): void {
    const [offsets, partitions] = [this.offsets, this.partitions]
    this.offsets = new Uint32Array(offsets.length * 2)
    this.offsets.set(offsets)
    this.partitions = new Uint32Array(offsets.length * 2)
    this.partitions.set(partitions)
  }
}

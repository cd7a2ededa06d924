/**
 * Folds numbers by key in WebAssembly. Keys are put into its memory as they come and looked up a thousand at a time; the
 * combiner is called here, unless it is {@link sum}. What it does is what a `FoldTable` and an `Arena` do.
 */
import { sum } from '../kernels/sum.ts'
import { DataError } from './errors.ts'
import { foldEngines, type FoldEngine } from './fold-engine.ts'
import type { InPlace } from './in-place.ts'
import { pairBlocks, type PairBlock } from './pair-blocks.ts'
import { PairView } from './pairs.ts'
import { writeText } from './text.ts'

/** Longer keys are rare, and are not taken. */
export const FOLDED_KEY_MAX = 1 << 12
const FIRST_LOG2 = 13
const MOST_LOG2 = 20
/** Of the budget: a slot of the table, and what its pair takes when all are spilled. */
const SLOT_BYTES = 64

export interface FolderOptions<K, V> {
  readonly budgetBytes: number
  readonly key: InPlace<K>
  readonly combine: (left: V, right: V, key: K) => V
  /** Told when there is no room left: is to spill, and to {@link Folder.clear}. */
  readonly onFull: () => void
}

export class Folder<K, V> {
  readonly #options: FolderOptions<K, V>
  readonly #engine: FoldEngine
  readonly #keys: Uint8Array
  readonly #ends: Uint32Array
  readonly #numbers: Float64Array
  readonly #isSum: boolean
  #batched = 0
  #bytes = 0

  private constructor(options: FolderOptions<K, V>, engine: FoldEngine) {
    this.#options = options
    this.#engine = engine
    const log2 = Math.floor(Math.log2(Math.max(1, options.budgetBytes / SLOT_BYTES)))
    engine.init(FIRST_LOG2, Math.min(MOST_LOG2, Math.max(FIRST_LOG2, log2)))
    const { buffer } = engine.memory
    this.#keys = new Uint8Array(buffer, engine.keys(), engine.KEYS_BYTES.value)
    this.#ends = new Uint32Array(buffer, engine.ends(), engine.BATCH.value)
    this.#numbers = new Float64Array(buffer, engine.numbers(), engine.BATCH.value)
    this.#isSum = (options.combine as unknown) === sum
  }

  /** Undefined where WebAssembly or its SIMD is missing. */
  static create<K, V>(options: FolderOptions<K, V>): Folder<K, V> | undefined {
    const engine = foldEngines.borrow()
    return engine && new Folder(options, engine)
  }

  get isEmpty(): boolean {
    return this.#batched === 0 && this.#engine.size() === 0
  }

  /** Text of at most a third of {@link FOLDED_KEY_MAX} units, as its UTF-8 bytes. @throws {DataError} `BAD_TEXT` */
  addText(key: string, number: number): void {
    this.#reserve(key.length * 3)
    this.#added(writeText(key, this.#keys, this.#bytes), number)
  }

  /** A key that its codec writes. @param most at least as many bytes as it takes */
  add(key: K, most: number, number: number): void {
    this.#reserve(most)
    this.#added(this.#options.key.write(key, this.#keys, this.#bytes), number)
  }

  /** Bytes [start, end), which are a key. */
  addBytes(bytes: Uint8Array, start: number, end: number, number: number): void {
    this.#reserve(end - start)
    const keys = this.#keys
    let to = this.#bytes
    for (let i = start; i < end; i++) keys[to++] = bytes[i] as number
    this.#added(to, number)
  }

  /**
   * Looks up what is still waiting, and puts all keys in order.
   *
   * @param partition the partition of the key in bytes [start, end), where it is not that of its hash
   */
  sort(partitions: number, partition?: (bytes: Uint8Array, start: number, end: number) => number): void {
    this.#flush()
    const engine = this.#engine
    const count = engine.drain(partitions)
    if (partition !== undefined) this.#deal(count, partition)
    engine.sort()
  }

  /** After {@link sort}: the pairs of a partition, each block valid until the next is asked for. */
  blocks(partition: number): Iterable<PairBlock> {
    return pairBlocks(this.#engine, partition)
  }

  /** Forgets all keys. */
  clear(): void {
    this.#engine.clear(FIRST_LOG2)
  }

  /** Ends: nothing of it may be used any more. */
  close(): void {
    foldEngines.giveBack(this.#engine)
  }

  #reserve(bytes: number): void {
    if (this.#batched === this.#ends.length || this.#bytes + bytes > this.#keys.length) this.#flush()
  }

  #added(end: number, number: number): void {
    const i = this.#batched++
    this.#ends[i] = end
    this.#numbers[i] = number
    this.#bytes = end
  }

  #flush(): void {
    const [count, bytes] = [this.#batched, this.#bytes]
    if (count === 0) return
    this.#batched = 0
    this.#bytes = 0
    const engine = this.#engine
    if (engine.reserve(count, bytes) === 0) {
      this.#options.onFull()
      engine.reserve(count, bytes)
    }
    if (this.#isSum) engine.addAll(count)
    else this.#combineAll(count)
  }

  #combineAll(count: number): void {
    const engine = this.#engine
    const { combine, key } = this.#options
    engine.find(count)
    const slots = new Uint32Array(engine.memory.buffer, engine.slots(), count)
    const table = new Float64Array(engine.memory.buffer, engine.table())
    const numbers = this.#numbers
    // Most combiners do not look at the key: it is not made for them.
    const isBlind = combine.length === 2
    for (let i = 0; i < count; i++) {
      const slot = slots[i] as number
      const number = numbers[i] as number
      const at = slot >>> 1
      if ((slot & 1) === 1) table[at] = number
      else {
        const its = isBlind
          ? (undefined as K)
          : key.read(this.#keys, this.#ends[i - 1] ?? 0, this.#ends[i] as number)
        const folded = combine(table[at] as V, number as V, its)
        if (typeof folded !== 'number')
          throw new DataError('BAD_VALUE', `combine made ${typeof folded} of two numbers`)
        table[at] = folded
      }
    }
  }

  #deal(count: number, partition: (bytes: Uint8Array, start: number, end: number) => number): void {
    const engine = this.#engine
    const { buffer } = engine.memory
    const entries = new Uint32Array(buffer, engine.entriesAt(), count * 4)
    const pairs = new Uint8Array(buffer, engine.pairs())
    const view = new PairView()
    for (let i = 0; i < count; i++) {
      view.readAt(pairs, entries[4 * i + 2] as number, pairs.length)
      entries[4 * i + 3] = partition(pairs, view.keyStart, view.keyEnd)
    }
  }
}

/** Sorts the records of a split in WebAssembly, as many at a time as the budget holds, and spills them. */
import type { PairBlock } from '../data/pair-blocks.ts'
import { BLOCK_HEADER_BYTES, BLOCK_BYTES } from '../data/spill-format.ts'
import type { KernelOutput } from './kernel.ts'
import type { PairShape } from './record-pairs.ts'
import { recordsEngines, type RecordsEngine } from './records-engine.ts'

/** Of a place in the records. */
const PLACE_MASK = 2 ** 24 - 1
/** Some places stay empty. */
const RECORDS_MAX = 2 ** 24 - 2 ** 14
/** Records are read so many bytes at a time: they are in the processor's cache when they are dealt out. */
const WINDOW_BYTES = 2 ** 18
/** What sorting takes for each record beside its bytes. */
const ENTRY_BYTES = 16
const RECORDS_MIN = 16

/** The partition of the record at a place of `bytes`. */
export type PartitionAt = (bytes: Uint8Array, at: number) => number

export class RecordSorter {
  readonly #engine: RecordsEngine
  readonly #output: KernelOutput
  readonly #shape: PairShape
  readonly #partitionAt: PartitionAt
  /** Does the partition rise with the records, by its nature? */
  readonly #isRising: boolean
  readonly #records: Uint8Array
  readonly #window: Uint8Array
  readonly capacity: number
  #count = 0
  /** How many of them are in order, and how many of those were spilled. */
  #sorted = 0
  #taken = 0

  private constructor(
    engine: RecordsEngine,
    output: KernelOutput,
    shape: PairShape,
    partitionAt: PartitionAt,
    isRising: boolean,
  ) {
    this.#engine = engine
    this.#output = output
    this.#shape = shape
    this.#partitionAt = partitionAt
    this.#isRising = isRising
    const { width } = shape
    const { budgetBytes } = output
    const windowRecords = Math.max(1, Math.floor(Math.min(WINDOW_BYTES, budgetBytes / 16) / width))
    const fitting = Math.floor((budgetBytes - BLOCK_BYTES - windowRecords * width) / (width + ENTRY_BYTES))
    this.capacity = Math.min(RECORDS_MAX, Math.max(RECORDS_MIN, fitting))
    engine.layoutSort(width, this.capacity, windowRecords, BLOCK_HEADER_BYTES + BLOCK_BYTES)
    const { buffer } = engine.memory
    this.#records = new Uint8Array(buffer, engine.records(), engine.places() * width)
    this.#window = new Uint8Array(buffer, engine.window(), windowRecords * width)
  }

  /** Undefined where WebAssembly or its SIMD is missing. */
  static create(
    output: KernelOutput,
    shape: PairShape,
    partitionAt: PartitionAt,
    isRising: boolean,
  ): RecordSorter | undefined {
    const engine = recordsEngines.borrow()
    return engine && new RecordSorter(engine, output, shape, partitionAt, isRising)
  }

  /** Where records can be put, a whole number of them: {@link add} says how many were. */
  get room(): Uint8Array {
    return this.#window.subarray(0, (this.capacity - this.#count) * this.#shape.width)
  }

  add(records: number): void {
    this.#engine.scatter(records)
    this.#count += records
    if (this.#count === this.capacity) this.#spill()
  }

  /** Spills what is left, and ends. */
  finish(): void {
    if (this.#count > 0) this.#spill()
    recordsEngines.giveBack(this.#engine)
  }

  #spill(): void {
    const bounds = this.#isRising ? undefined : this.#scattered()
    this.#output.spillBlocks((partition) =>
      bounds === undefined
        ? this.#rising(partition)
        : this.#blocks(bounds[partition] as number, bounds[partition + 1] as number),
    )
    this.#engine.clear()
    this.#count = this.#sorted = this.#taken = 0
  }

  /** The partition's records: they begin where those of the one before end, and are sorted as they are reached. */
  *#rising(partition: number): Generator<PairBlock, void, undefined> {
    while (this.#taken < this.#sorted || this.#sortMore()) {
      const end = this.#endOf(partition)
      yield* this.#blocks(this.#taken, end)
      this.#taken = end
      if (end < this.#sorted) return
    }
  }

  /** @returns false when all are sorted already */
  #sortMore(): boolean {
    const before = this.#sorted
    this.#sorted = this.#engine.sortNext()
    return this.#sorted > before
  }

  *#blocks(from: number, to: number): Generator<PairBlock, void, undefined> {
    const { width, headerBytes, header, pairsPerBlock } = this.#shape
    const engine = this.#engine
    const out = new Uint8Array(engine.memory.buffer, engine.out(), BLOCK_HEADER_BYTES + BLOCK_BYTES)
    for (let at = from; at < to; at += pairsPerBlock) {
      const pairs = Math.min(pairsPerBlock, to - at)
      const bytes = engine.gather(at, at + pairs, headerBytes, header, BLOCK_HEADER_BYTES)
      const unpackedBytes = pairs * (headerBytes + width)
      yield { bytes: out.subarray(0, BLOCK_HEADER_BYTES + bytes), pairs, unpackedBytes }
    }
  }

  /** Behind the partition's last record, among those that are sorted. */
  #endOf(partition: number): number {
    const order = this.#order()
    let [low, high] = [this.#taken, this.#sorted]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#partitionOf(order, middle) <= partition) low = middle + 1
      else high = middle
    }
    return low
  }

  /** For any partition: the sorted records are dealt out, and stay in order in each. @returns where each begins */
  #scattered(): Uint32Array {
    while (this.#sortMore());
    const order = this.#order()
    const partitions = Uint32Array.from({ length: this.#count }, (_, i) => this.#partitionOf(order, i))
    const bounds = new Uint32Array(this.#output.partitions + 1)
    for (const partition of partitions) bounds[partition + 1] = (bounds[partition + 1] as number) + 1
    for (let p = 1; p < bounds.length; p++) bounds[p] = (bounds[p] as number) + (bounds[p - 1] as number)
    const engine = this.#engine
    const dealt = new Uint32Array(engine.memory.buffer, engine.spare(), this.#count * 2)
    const next = bounds.slice()
    partitions.forEach((partition, i) => {
      const to = next[partition] as number
      dealt[2 * to] = order[2 * i] as number
      next[partition] = to + 1
    })
    order.set(dealt)
    return bounds
  }

  /** Two numbers for each record, in order: the lower bits of the first are its place. */
  #order(): Uint32Array {
    const engine = this.#engine
    return new Uint32Array(engine.memory.buffer, engine.entries(), this.#count * 2)
  }

  #partitionOf(order: Uint32Array, i: number): number {
    return this.#partitionAt(this.#records, ((order[2 * i] as number) & PLACE_MASK) * this.#shape.width)
  }
}

/**
 * Takes what map emits, and leaves it on disk sorted, one segment for each partition and spill (MapReduce §4.2, §4.3):
 *
 *     emit ──▶ numbers with a combiner ──▶ folder ──▶ when the budget is used ──▶ sort ─────────────▶ spill
 *          └─▶ everything else ──────────▶ arena ──▶ when the budget is used ──▶ sort ──▶ combine ──▶ spill
 *
 * Where there is no folder, a fold table takes its place, which is emptied into the arena.
 */
import type { Job } from '../job.ts'
import type { KeyCodec, ValueCodec } from '../formats.ts'
import { Arena, INDEX_BYTES } from './arena.ts'
import { DataError } from './errors.ts'
import type { TaskFile, TaskFiles } from './files.ts'
import { FoldTable } from './fold-table.ts'
import { Folder, FOLDED_KEY_MAX } from './folder.ts'
import { hashBytes } from './hash.ts'
import { toInPlace, type InPlace } from './in-place.ts'
import { bytesKey, textKey } from './keys.ts'
import type { PairBlock } from './pair-blocks.ts'
import { encodeIndex, MAGIC, type Segment, type SpillIndex } from './spill-format.ts'
import { SegmentWriter } from './segment-writer.ts'
import { sortPairs } from './sort.ts'
import { spillPartition } from './spill-partition.ts'
import { jsonValue } from './values.ts'

export const DEFAULT_BUDGET_BYTES = 64 * 2 ** 20

export interface MapOutputOptions<K, V> {
  readonly files: TaskFiles
  /** Where the output shall stand; a file that is there is replaced. */
  readonly path: string
  readonly partitions: number
  /** Memory for pairs that are not spilled yet, sorting included. Default 64 MB. */
  readonly budgetBytes?: number
  /** The job's own, or their defaults. */
  readonly key?: KeyCodec<K> | undefined
  readonly value?: ValueCodec<V> | undefined
  readonly combine?: Job<unknown, K, V>['combine'] | undefined
  readonly partition?: Job<unknown, K, V>['partition'] | undefined
  /** The reference: without WebAssembly. */
  readonly isPlain?: boolean
}

/** What a map task has made. */
export interface MapOutputFile {
  readonly path: string
  /** Of the whole file. */
  readonly bytes: number
  /** Pairs, after combining. */
  readonly records: number
  /** The same as at the end of the file: for each spill, the segment of each partition. */
  readonly spills: SpillIndex
}

export class MapOutput<K, V> {
  readonly #options: MapOutputOptions<K, V>
  readonly #budget: number
  readonly #key: InPlace<K>
  readonly #value: InPlace<V>
  readonly #isText: boolean
  readonly #isBytes: boolean
  readonly #combine: ((left: V, right: V, key: K) => V) | undefined
  readonly #file: TaskFile
  readonly #writer: SegmentWriter
  readonly #arena: Arena
  readonly #table = new FoldTable()
  /** Undefined until there is something to fold; null where there is none. */
  #folder: Folder<K, V> | null | undefined
  #keyBytes = new Uint8Array(256)
  readonly #spills: Segment[][] = []

  /** @throws {DiskError} when the file cannot be made */
  constructor(options: MapOutputOptions<K, V>) {
    this.#options = options
    this.#budget = options.budgetBytes ?? DEFAULT_BUDGET_BYTES
    this.#arena = new Arena(this.#budget)
    // The types of a job make K text and V JSON when it names no codecs.
    const key = options.key ?? (textKey as unknown as KeyCodec<K>)
    this.#key = toInPlace(key)
    this.#value = toInPlace(options.value ?? (jsonValue as unknown as ValueCodec<V>))
    this.#isText = (key as unknown) === textKey
    this.#isBytes = (key as unknown) === bytesKey
    this.#combine = options.combine
    this.#file = options.files.create(options.path)
    this.#writer = new SegmentWriter(this.#file, MAGIC)
  }

  /**
   * Takes a pair, and spills when the budget is used.
   *
   * @throws {DataError} `BAD_KEY`, `BAD_VALUE`, `BAD_TEXT`, `BAD_PARTITION` or `TOO_LARGE`
   * @throws {DiskError} `DISK_FULL` and the like, from the spill
   */
  emit(key: K, value: V, start?: number, end?: number): void {
    if (start !== undefined && key instanceof Uint8Array) {
      if (this.#isBytes) this.emitBytes(key, start, Math.min(end ?? key.length, key.length), value)
      else this.emit(key.subarray(start, end) as K, value)
      return
    }
    if (typeof value === 'number' && this.#combine !== undefined) {
      this.#fold(key, value, this.#combine)
      return
    }
    this.#append(key, value)
  }

  /** Takes a key as bytes [start, end), which its codec would give, and a number or other value for it. */
  emitBytes(bytes: Uint8Array, start: number, end: number, value: V): void {
    if (typeof value !== 'number' || this.#combine === undefined) {
      this.emit(this.#key.read(bytes, start, end), value)
      return
    }
    const folder = this.#folder === undefined ? this.#openFolder(this.#combine) : this.#folder
    if (folder !== null) {
      if (end - start <= FOLDED_KEY_MAX) folder.addBytes(bytes, start, end, value)
      else this.#append(this.#key.read(bytes, start, end), value)
      return
    }
    const slot = this.#table.slotOfBytes(bytes, start, end)
    const values = this.#table.values
    if (this.#table.isNew) this.#started(slot, value)
    else {
      // Most combiners do not look at the key: it is not made for them.
      const key = this.#combine.length === 2 ? (undefined as K) : this.#key.read(bytes, start, end)
      values[slot] = this.#folded(this.#combine(values[slot] as V, value, key))
    }
  }

  /**
   * Takes pairs as the codecs would have written them, no key twice in all of them, and spills them: there is nothing to
   * combine, and no pair is looked at again.
   */
  spillDistinct(batches: Iterable<Uint8Array>): void {
    if (this.#arena.count + this.#table.count > 0) this.#spill(this.#combine)
    const arena = this.#arena
    for (const pairs of batches)
      for (let at = 0; at < pairs.length;) {
        const pair = arena.appendPair(pairs, at)
        at += arena.length - (arena.offsets[pair] as number)
        this.#place(pair, undefined)
        if (arena.used > this.#budget) this.#spill(undefined)
      }
    if (arena.count > 0) this.#spill(undefined)
  }

  /**
   * Takes keys of `width` bytes each that stand one after the other, with no bytes for a value.
   *
   * @param partitionAt the partition of the key at a place of `bytes`; default: that of the job
   */
  emitKeys(bytes: Uint8Array, width: number, partitionAt?: (at: number) => number): void {
    const arena = this.#arena
    const first = arena.appendKeys(bytes, width)
    for (let pair = first, at = 0; pair < arena.count; pair++, at += width)
      if (partitionAt === undefined) this.#place(pair, undefined)
      else arena.partitions[pair] = this.#checked(partitionAt(at))
    if (arena.used > this.#budget) this.#spill(this.#combine)
  }

  /**
   * Spills pairs that are sorted and partitioned already.
   *
   * @param blocksOf those of a partition; each is valid until the next is asked for
   */
  spillBlocks(blocksOf: (partition: number) => Iterable<PairBlock>): void {
    const segments: Segment[] = []
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      for (const block of blocksOf(partition)) this.#writer.block(block)
      segments.push(this.#writer.endSegment())
    }
    this.#spills.push(segments)
  }

  get partitions(): number {
    return this.#options.partitions
  }

  /** Is the partition of a key that of its hash? */
  get isHashed(): boolean {
    return this.#options.partition === undefined
  }

  /** Memory for pairs that are not spilled yet. */
  get budgetBytes(): number {
    return this.#budget
  }

  /** Spills what is left, writes the index, and closes the file. */
  finish(): MapOutputFile {
    if (this.#arena.count + this.#table.count > 0) this.#spill(this.#combine)
    if (this.#folder?.isEmpty === false) this.#spillFolded(this.#folder)
    this.#folder?.close()
    // Whoever emits too late is not to reach the task that has its memory next.
    this.#folder = null
    const bytes = this.#writer.finish(encodeIndex(this.#spills, this.#options.partitions))
    this.#file.close()
    const records = this.#spills.flat().reduce((sum, segment) => sum + segment.records, 0)
    return { path: this.#file.path, bytes, records, spills: this.#spills }
  }

  /** Closes and removes the file, after a failure. */
  discard(): void {
    this.#file.close()
    this.#options.files.remove(this.#file.path)
  }

  #append(key: K, value: V): void {
    const pair = this.#arena.append(key, this.#key, value, this.#value)
    this.#place(pair, key)
    if (this.#arena.used + this.#table.used > this.#budget) this.#spill(this.#combine)
  }

  #fold(key: K, value: V & number, combine: (left: V, right: V, key: K) => V): void {
    const folder = this.#folder === undefined ? this.#openFolder(combine) : this.#folder
    if (folder === null) {
      this.#foldPlainly(key, value, combine)
      return
    }
    const isText = this.#isText && typeof key === 'string'
    const most = isText ? key.length * 3 : this.#key.bytesMax(key)
    if (most > FOLDED_KEY_MAX) this.#append(key, value)
    else if (isText) folder.addText(key, value)
    else folder.add(key, most, value)
  }

  /** Values must be what the folder writes. */
  #openFolder(combine: (left: V, right: V, key: K) => V): Folder<K, V> | null {
    const { value = jsonValue as unknown, isPlain = false } = this.#options
    const folder =
      isPlain || value !== jsonValue
        ? undefined
        : Folder.create<K, V>({
            ...{ budgetBytes: this.#budget, key: this.#key, combine },
            onFull: () => {
              if (this.#folder != null) this.#spillFolded(this.#folder)
            },
          })
    this.#folder = folder ?? null
    return this.#folder
  }

  #spillFolded(folder: Folder<K, V>): void {
    const { partitions, partition } = this.#options
    folder.sort(
      partitions,
      partition &&
        ((bytes, start, end) => this.#checked(partition(this.#key.read(bytes, start, end), partitions))),
    )
    this.spillBlocks((number) => folder.blocks(number))
    folder.clear()
  }

  #foldPlainly(key: K, value: V & number, combine: (left: V, right: V, key: K) => V): void {
    const table = this.#table
    let slot: number
    if (this.#isText && typeof key === 'string') slot = table.slotOfText(key)
    else if (this.#isBytes && key instanceof Uint8Array) slot = table.slotOfBytes(key, 0, key.length)
    else slot = this.#slotOf(key)
    if (table.isNew) this.#started(slot, value)
    else table.values[slot] = this.#folded(combine(table.values[slot] as V, value, key))
  }

  #slotOf(key: K): number {
    const most = this.#key.bytesMax(key)
    if (most > this.#keyBytes.length) this.#keyBytes = new Uint8Array(most * 2)
    return this.#table.slotOfBytes(this.#keyBytes, 0, this.#key.write(key, this.#keyBytes, 0))
  }

  #started(slot: number, value: number): void {
    const table = this.#table
    table.values[slot] = value
    // Draining the table makes a pair of each key: that memory is part of the budget before it is taken.
    if (
      Math.max(table.used, table.bytesIfGrown) + table.count * INDEX_BYTES * 2 + this.#arena.used >
      this.#budget
    )
      this.#spill(this.#combine)
  }

  #folded(value: V): number {
    if (typeof value === 'number') return value
    throw new DataError('BAD_VALUE', `combine made ${typeof value} of two numbers`)
  }

  #place(pair: number, key: K | undefined): void {
    const { partitions, partition } = this.#options
    const arena = this.#arena
    const { keyStart, keyEnd } = arena.pair(pair)
    if (partition === undefined) {
      arena.partitions[pair] = partitions === 1 ? 0 : hashBytes(arena.bytes, keyStart, keyEnd) % partitions
      return
    }
    arena.partitions[pair] = this.#checked(
      partition(key ?? this.#key.read(arena.bytes, keyStart, keyEnd), partitions),
    )
  }

  #checked(chosen: number): number {
    const { partitions } = this.#options
    if (!Number.isInteger(chosen) || chosen < 0 || chosen >= partitions)
      throw new DataError('BAD_PARTITION', `partition gave ${String(chosen)}, not 0 to ${partitions - 1}`)
    return chosen
  }

  #spill(combine: ((left: V, right: V, key: K) => V) | undefined): void {
    this.#drain()
    const arena = this.#arena
    const { order, bounds } = sortPairs(arena, this.#options.partitions)
    const segments: Segment[] = []
    for (let partition = 0; partition < this.#options.partitions; partition++) {
      const pairs = order.subarray(bounds[partition], bounds[partition + 1])
      spillPartition(arena, pairs, this.#writer, this.#key, this.#value, combine)
      segments.push(this.#writer.endSegment())
    }
    this.#spills.push(segments)
    arena.clear()
  }

  #drain(): void {
    const number = new Uint8Array(64)
    this.#table.forEach((bytes, start, end, value) => {
      this.#value.bytesMax(value as V)
      const valueEnd = this.#value.write(value as V, number, 0)
      this.#place(this.#arena.appendBytes(bytes, start, end, number, 0, valueEnd), undefined)
    })
    this.#table.clear()
  }
}

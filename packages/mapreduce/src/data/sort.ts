/**
 * The order of pairs within a partition: bytewise by key, and by arrival between equal keys.
 *
 * A comparator called from the engine's sort costs ten times what the sort of plain 64-bit numbers does, so each key's next
 * bytes are packed into one, above its place in the present order:
 *
 *     [4 bytes of the key][how many it has left, at most 5: 3 bits][place: 29 bits]
 *
 * Missing bytes are zero; how many are left tells `a` from `a\0`. Keys that tie with more bytes left are sorted by the next four.
 */
import type { Arena } from './arena.ts'
import { compareBytes } from './compare.ts'
import { PairView } from './pairs.ts'

const STEP = 4
const PLACE_BITS = 29
const PLACE_MASK = 2 ** PLACE_BITS - 1
const LEFT_MAX = STEP + 1
/** Shorter runs of ties are sorted by insertion. */
const SHORT_RUN = 12

/** The numbers of an arena's pairs by (partition, key, arrival), and where each partition begins among them. */
export interface SortedPairs {
  readonly order: Uint32Array
  /** `partitions + 1` positions in `order`. */
  readonly bounds: Uint32Array
}

export function sortPairs(arena: Arena, partitions: number): SortedPairs {
  const { order, bounds } = byPartition(arena, partitions)
  let largest = 0
  for (let p = 0; p < partitions; p++)
    largest = Math.max(largest, (bounds[p + 1] as number) - (bounds[p] as number))
  const sorter = new KeySorter(arena, largest)
  for (let p = 0; p < partitions; p++) sorter.sort(order.subarray(bounds[p], bounds[p + 1]), 0)
  return { order, bounds }
}

function byPartition({ count, partitions: of }: Arena, partitions: number): SortedPairs {
  const bounds = new Uint32Array(partitions + 1)
  for (let i = 0; i < count; i++) {
    const after = (of[i] as number) + 1
    bounds[after] = (bounds[after] as number) + 1
  }
  for (let p = 0; p < partitions; p++) bounds[p + 1] = (bounds[p + 1] as number) + (bounds[p] as number)
  const next = bounds.slice()
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const partition = of[i] as number
    const to = next[partition] as number
    order[to] = i
    next[partition] = to + 1
  }
  return { order, bounds }
}

class KeySorter {
  readonly #arena: Arena
  readonly #packed: BigUint64Array
  readonly #words: Uint32Array
  readonly #view = new PairView()
  readonly #other = new PairView()

  constructor(arena: Arena, largest: number) {
    this.#arena = arena
    this.#packed = new BigUint64Array(largest)
    this.#words = new Uint32Array(this.#packed.buffer)
  }

  /** Sorts pairs whose keys are equal in their first `equal` bytes, and have as many. */
  sort(order: Uint32Array, equal: number): void {
    const count = order.length
    if (count <= SHORT_RUN) {
      this.#insert(order, equal)
      return
    }
    const depth = this.#commonPrefix(order, equal)
    const words = this.#words
    for (let place = 0; place < count; place++) this.#pack(order, place, depth)
    // Uint32 pairs are 64-bit numbers in this order on every machine that runs V8 or any WebAssembly: little endian.
    this.#packed.subarray(0, count).sort()
    const before = order.slice()
    for (let i = 0; i < count; i++) order[i] = before[(words[2 * i] as number) & PLACE_MASK] as number
    for (const [from, to] of this.#ties(count)) this.sort(order.subarray(from, to), depth + STEP)
  }

  /** How many bytes all keys have in common: each step then tells some of them apart, however long they are. */
  #commonPrefix(order: Uint32Array, equal: number): number {
    const { bytes, offsets, length } = this.#arena
    const [first, view] = [this.#other, this.#view]
    first.readAt(bytes, offsets[order[0] as number] as number, length)
    const start = first.keyStart
    let common = first.keyEnd - start
    for (let place = 1; place < order.length && common > equal; place++) {
      view.readAt(bytes, offsets[order[place] as number] as number, length)
      const { keyStart, keyEnd } = view
      const most = Math.min(common, keyEnd - keyStart)
      let same = equal
      while (same < most && bytes[start + same] === bytes[keyStart + same]) same++
      common = same
    }
    return common
  }

  #pack(order: Uint32Array, place: number, depth: number): void {
    const { bytes, offsets, length } = this.#arena
    const view = this.#view
    view.readAt(bytes, offsets[order[place] as number] as number, length)
    const at = view.keyStart + depth
    const left = view.keyEnd - at
    // An arena is longer than what stands in it: these are there, and those past the key are masked.
    const four =
      ((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)
    this.#words[2 * place + 1] = left >= STEP ? four : left === 0 ? 0 : four & (-1 << (8 * (STEP - left)))
    this.#words[2 * place] = (Math.min(left, LEFT_MAX) << PLACE_BITS) | place
  }

  /** Runs of keys that are equal so far and go on. Copied out first: sorting a run takes the same packed numbers. */
  #ties(count: number): [number, number][] {
    const words = this.#words
    const ties: [number, number][] = []
    for (let from = 0; from < count;) {
      const left = (words[2 * from] as number) >>> PLACE_BITS
      let to = from + 1
      while (
        to < count &&
        words[2 * to + 1] === words[2 * from + 1] &&
        (words[2 * to] as number) >>> PLACE_BITS === left
      )
        to++
      if (to > from + 1 && left === LEFT_MAX) ties.push([from, to])
      from = to
    }
    return ties
  }

  #insert(order: Uint32Array, depth: number): void {
    const { bytes, offsets, length } = this.#arena
    const [mine, other] = [this.#view, this.#other]
    for (let i = 1; i < order.length; i++) {
      const pair = order[i] as number
      mine.readAt(bytes, offsets[pair] as number, length)
      let to = i
      for (; to > 0; to--) {
        other.readAt(bytes, offsets[order[to - 1] as number] as number, length)
        const { keyStart, keyEnd } = other
        if (compareBytes(bytes, keyStart + depth, keyEnd, bytes, mine.keyStart + depth, mine.keyEnd) <= 0)
          break
        order[to] = order[to - 1] as number
      }
      order[to] = pair
    }
  }
}

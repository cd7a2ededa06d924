/** Writes the sorted pairs of one partition, those of equal keys combined into one. */
import type { Arena } from './arena.ts'
import { compareBytes } from './compare.ts'
import type { InPlace } from './in-place.ts'
import type { SegmentWriter } from './segment-writer.ts'

export function spillPartition<K, V>(
  arena: Arena,
  order: Uint32Array,
  writer: SegmentWriter,
  keyCodec: InPlace<K>,
  valueCodec: InPlace<V>,
  combine: ((left: V, right: V, key: K) => V) | undefined,
): void {
  const { bytes, offsets } = arena
  for (let from = 0; from < order.length;) {
    const start = offsets[order[from] as number] as number
    const to = combine === undefined ? from + 1 : equalUntil(arena, order, from)
    const { keyStart, keyEnd, end } = arena.pair(order[from] as number)
    if (combine === undefined || to === from + 1) writer.pair(bytes, start, end)
    else {
      const key = keyCodec.read(bytes, keyStart, keyEnd)
      let folded = valueCodec.read(bytes, keyEnd, end)
      for (let i = from + 1; i < to; i++) {
        const pair = arena.pair(order[i] as number)
        folded = combine(folded, valueCodec.read(bytes, pair.keyEnd, pair.end), key)
      }
      writer.value(bytes, keyStart, keyEnd, folded, valueCodec)
    }
    from = to
  }
}

/** Behind the last pair that has the key of pair `from`. */
function equalUntil(arena: Arena, order: Uint32Array, from: number): number {
  const { bytes } = arena
  const { keyStart, keyEnd } = arena.pair(order[from] as number)
  let to = from + 1
  for (; to < order.length; to++) {
    const pair = arena.pair(order[to] as number)
    if (compareBytes(bytes, keyStart, keyEnd, bytes, pair.keyStart, pair.keyEnd) !== 0) break
  }
  return to
}

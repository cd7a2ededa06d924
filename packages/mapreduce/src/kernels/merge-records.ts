/** Merges sorted runs of records in WebAssembly: blocks go in as they stand in spills, records come out by the hundred kilobytes. */
import type { BlockReader } from '../data/block-reader.ts'
import { corrupt, BLOCK_BYTES } from '../data/spill-format.ts'
import type { KernelReduce } from './kernel.ts'
import type { PairShape } from './record-pairs.ts'
import { recordsEngines, type RecordsEngine } from './records-engine.ts'

const OUT_BYTES = 1 << 18

/** @returns false where WebAssembly or its SIMD is missing, and then nothing was taken @throws {DataError} `SPILL_CORRUPT` */
export function mergeRecords(reduce: KernelReduce, shape: PairShape): boolean {
  const engine = recordsEngines.borrow()
  if (engine === undefined) return false
  const { part, onProgress } = reduce
  const runs = reduce.blocks()
  const { width, headerBytes } = shape
  engine.layoutMerge(width, Math.max(1, runs.length), headerBytes, BLOCK_BYTES, OUT_BYTES)
  runs.forEach((run, number) => {
    feed(engine, run, number, shape)
  })
  let pairs = 0
  for (;;) {
    const hungry = engine.merge()
    const run = runs[hungry]
    if (run !== undefined) {
      feed(engine, run, hungry, shape)
      continue
    }
    const bytes = engine.take()
    if (bytes === 0) break
    part.writeBytes(new Uint8Array(engine.memory.buffer, engine.mergedAt(), bytes), bytes / width)
    pairs += bytes / width
    onProgress(pairs)
  }
  recordsEngines.giveBack(engine)
  return true
}

function feed(
  engine: RecordsEngine,
  run: BlockReader,
  number: number,
  { width, headerBytes }: PairShape,
): void {
  const bytes = run.next()
  if (bytes > BLOCK_BYTES || bytes !== run.pairs * (headerBytes + width))
    throw corrupt(run.path, `has a block that holds no records of ${width} bytes, at byte ${run.position}`)
  const { buffer } = engine.memory
  if (run.packedBytes > 0) {
    run.readPacked(new Uint8Array(buffer, engine.packed(), run.packedBytes))
    engine.unpack(number, run.pairs)
  } else if (bytes > 0) run.read(new Uint8Array(buffer, engine.blockOf(number), bytes))
  engine.feed(number, bytes)
}

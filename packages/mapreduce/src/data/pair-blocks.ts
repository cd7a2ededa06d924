/** Pairs that wasm/pairs.ts has sorted, on their way out of WebAssembly. */
import { BLOCK_HEADER_BYTES } from './spill-format.ts'

/** Room for the header of a block, then whole pairs, as they are or packed. */
export interface PairBlock {
  readonly bytes: Uint8Array
  readonly pairs: number
  /** Bytes of the pairs when they are not packed, if they are. */
  readonly unpackedBytes?: number
}

/** The exports of a module that sorts pairs. */
export interface PairsEngine {
  readonly memory: { readonly buffer: ArrayBuffer }
  out(): number
  firstOf(partition: number): number
  block(from: number, to: number): number
  gathered(): number
}

/** Those of a partition. Each block is valid until the next is asked for. */
export function* pairBlocks(engine: PairsEngine, partition: number): Generator<PairBlock, void, undefined> {
  const end = engine.firstOf(partition + 1)
  for (let at = engine.firstOf(partition); at < end;) {
    const next = engine.block(at, end)
    const bytes = BLOCK_HEADER_BYTES + engine.gathered()
    yield { bytes: new Uint8Array(engine.memory.buffer, engine.out(), bytes), pairs: next - at }
    at = next
  }
}

/** wasm/fold.ts as it is used here. */
import { Engines } from '../kernels/engines.ts'
import { FOLD_MODULE } from '../kernels/fold-module.ts'
import type { PairsEngine } from './pair-blocks.ts'

export interface FoldEngine extends PairsEngine {
  readonly BATCH: { readonly value: number }
  readonly KEYS_BYTES: { readonly value: number }
  keys(): number
  ends(): number
  numbers(): number
  slots(): number
  table(): number
  size(): number
  init(first: number, most: number): void
  clear(log2: number): void
  reserve(count: number, bytes: number): number
  addAll(count: number): void
  find(count: number): void
  drain(partitions: number): number
  pairs(): number
  entriesAt(): number
  sort(): void
}

export const foldEngines = new Engines<FoldEngine>(FOLD_MODULE)

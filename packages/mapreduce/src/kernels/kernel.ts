/**
 * Jobs whose map the engine knows: it then works on whole blocks of input, in WebAssembly or with the engine's own
 * routines, and gives what the job's plain `map` would have given.
 */
import type { BlockReader } from '../data/block-reader.ts'
import type { PairBlock } from '../data/pair-blocks.ts'
import type { PartFile } from '../data/part-file.ts'
import type { SortedRun } from '../data/segment-reader.ts'
import type { InputBytes, Split } from '../formats.ts'

/** Where a kernel leaves pairs: a `MapOutput`, whose types are those of the job that names the kernel. */
export interface KernelOutput {
  readonly budgetBytes: number
  readonly partitions: number
  /** Is the partition of a key that of its hash? */
  readonly isHashed: boolean
  emit(key: unknown, value: unknown): void
  emitBytes(bytes: Uint8Array, start: number, end: number, value: unknown): void
  emitKeys(bytes: Uint8Array, width: number, partitionAt?: (at: number) => number): void
  spillDistinct(batches: Iterable<Uint8Array>): void
  spillBlocks(blocksOf: (partition: number) => Iterable<PairBlock>): void
}

export interface KernelRun {
  /** The file of the split; one that is packed is unpacked by the kernel. */
  readonly input: InputBytes
  readonly split: Split
  readonly output: KernelOutput
  /** What {@link Kernel.plan} gave. */
  readonly plan: string
  /** Told after each block up to where the input has been read; may throw to end the task. */
  readonly onProgress: (position: number) => void
}

/** A partition of all map outputs, as a `ReduceInput` gives it. */
export interface KernelReduce {
  /** The pairs, merged; or as sorted runs that are still to be merged: one of the two. */
  readonly run: SortedRun
  blocks(): BlockReader[]
  readonly part: PartFile<unknown, unknown>
  /** Told how many pairs have been taken; may throw to end the task. */
  readonly onProgress: (pairs: number) => void
}

/** The input as the coordinator sees it, before the first task. */
export interface KernelInput {
  readonly files: readonly { readonly file: string; readonly fileBytes: number }[]
  readonly partitions: number
  read(file: string, position: number, length: number): Uint8Array
}

export interface Kernel {
  readonly name: string
  /** May a file be cut into splits? */
  readonly splittable: boolean
  /** Looks at the input once. What it gives is told to all map tasks. */
  plan?(input: KernelInput): string
  /** The partition of a key, where the plan decides it. */
  partition?(plan: string, partitions: number): ((key: unknown) => number) | undefined
  /** Does what map would for all records of a split. Records are not counted. */
  map(run: KernelRun): Promise<void>
  /** Does what reduce would for all keys of a partition, and writes what the output format would. */
  reduce?(run: KernelReduce): void
}

/**
 * Jobs whose map the engine knows: it then works on whole blocks of input, in WebAssembly or with the engine's own
 * routines, and gives what the job's plain `map` would have given.
 */
import type { PartFile } from '../data/part-file.ts'
import type { SortedRun } from '../data/segment-reader.ts'
import type { InputBytes, Split } from '../formats.ts'

/** Where a kernel leaves pairs: a `MapOutput`, whose types are those of the job that names the kernel. */
export interface KernelOutput {
  readonly budgetBytes: number
  readonly partitions: number
  emit(key: unknown, value: unknown): void
  emitBytes(bytes: Uint8Array, start: number, end: number, value: unknown): void
  emitKeys(bytes: Uint8Array, width: number, partitionAt?: (at: number) => number): void
  spillDistinct(batches: Iterable<Uint8Array>): void
}

export interface KernelRun {
  /** The file of the split; one that is packed is unpacked by the kernel. */
  readonly input: InputBytes
  readonly split: Split
  readonly output: KernelOutput
  /** Told after each block up to where the input has been read; may throw to end the task. */
  readonly onProgress: (position: number) => void
}

export interface Kernel {
  readonly name: string
  /** May a file be cut into splits? */
  readonly splittable: boolean
  /** Does what map would for all records of a split. Records are not counted. */
  map(run: KernelRun): Promise<void>
  /** Does what reduce would for all keys of a partition, and writes what the output format would. */
  reduce?(run: SortedRun, part: PartFile<unknown, unknown>): void
}

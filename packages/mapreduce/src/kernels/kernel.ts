/**
 * Jobs whose map the engine knows: it then works on whole blocks of input, in WebAssembly or with the engine's own
 * routines, and gives what the job's plain `map` would have given.
 */
import type { MapOutput } from '../data/map-output.ts'
import type { InputBytes, Split } from '../formats.ts'

export interface KernelRun<K, V> {
  /** The file of the split; one that is packed is unpacked by the kernel. */
  readonly input: InputBytes
  readonly split: Split
  readonly output: MapOutput<K, V>
  /** Told after each block up to where the input has been read; may throw to end the task. */
  readonly onProgress: (position: number) => void
}

export interface Kernel<K, V> {
  readonly name: string
  /** May a file be cut into splits? */
  readonly splittable: boolean
  /** Does what map would for all records of a split. Records are not counted. */
  map(run: KernelRun<K, V>): Promise<void>
}

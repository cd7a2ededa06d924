import type { TaskFile, TaskFiles } from '../data/files.ts'
import type { Segment } from '../data/spill-format.ts'
import type { InputBytes, Split } from '../formats.ts'
import type { Progress } from './progress.ts'
import type { MapSource } from './work.ts'

/** What an attempt needs of where it runs. */
export interface TaskEnvironment {
  readonly files: TaskFiles
  /** Opens a file of the input: here, or where it is. */
  openInput(split: Split): Promise<OpenInput>
  /** Opens a segment that another worker has, under a name, to be read once. Not needed where no source has an address. */
  openThere?(name: string, source: MapSource, segment: Segment): TaskFile
  /** Aborts when nobody wants the result any more. */
  readonly signal: AbortSignal
  readonly progress: Progress
  onStatus(text: string): void
  /** The user's own frames of an error's stack, one a line. */
  userStack(error: Error): string
}

export interface OpenInput {
  readonly bytes: InputBytes
  close(): void
}

import type { TaskFiles } from '../data/files.ts'
import type { InputBytes, Split } from '../formats.ts'
import type { Progress } from './progress.ts'

/** What an attempt needs of where it runs. */
export interface TaskEnvironment {
  readonly files: TaskFiles
  /** Opens a file of the input: here, or where it is. */
  openInput(split: Split): Promise<OpenInput>
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

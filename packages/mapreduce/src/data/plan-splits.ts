/** Cuts the input into the pieces that map tasks get (MapReduce §3.1, step 1). */
import type { Split } from '../formats.ts'

/** Half of the memory that a task has by default: a split and what is made of it have room beside each other. */
export const DEFAULT_SPLIT_BYTES = 32 * 2 ** 20

export interface SplitOptions {
  /** How large a split is, at most, in bytes. Default 32 MB; the paper has 16 to 64 (§3.1). */
  readonly splitBytes?: number
  /** At least so many splits, as long as there are bytes: more than one shows what a job wrongly keeps between records. */
  readonly splitsMin?: number
  /** May this file be cut? */
  splittable(file: string): boolean
}

/** @param files with their sizes in bytes; empty ones get a split too, for formats that make a record of them */
export function planSplits(
  files: readonly { readonly file: string; readonly size: number }[],
  options: SplitOptions,
): Split[] {
  const total = files.reduce((sum, { size }) => sum + size, 0)
  const enough =
    files.length >= (options.splitsMin ?? 1) ? Infinity : Math.ceil(total / (options.splitsMin ?? 1))
  const most = Math.max(1, Math.min(options.splitBytes ?? DEFAULT_SPLIT_BYTES, enough))
  return files.flatMap(({ file, size }) => {
    if (size === 0 || !options.splittable(file)) return [{ file, start: 0, end: size, fileBytes: size }]
    // Equal pieces: a last one of a few bytes would cost a task of its own.
    const count = Math.ceil(size / most)
    return Array.from({ length: count }, (_, i) => ({
      file,
      start: Math.floor((size * i) / count),
      end: Math.floor((size * (i + 1)) / count),
      fileBytes: size,
    }))
  })
}

/** A task costs as much as so many bytes of input, and so does a file that has to be opened. */
const FILE_BYTES = 32 * 1024
/** With more small pieces than this, several are one task. */
const TASKS_OF_SMALL_MAX = 128

/**
 * Several small pieces are one task's input: ten thousand small files are not worth ten thousand tasks. Tasks of one piece stay
 * as they are when there are few.
 *
 * @param splits in order; each goes to one task, and tasks have them in order
 */
export function packSplits(
  splits: readonly Split[],
  splitBytes = DEFAULT_SPLIT_BYTES,
  tasksMax = TASKS_OF_SMALL_MAX,
): Split[][] {
  if (splits.length <= tasksMax) return splits.map((split) => [split])
  const cost = ({ start, end }: Split): number => end - start + FILE_BYTES
  const total = splits.reduce((sum, split) => sum + cost(split), 0)
  const most = Math.min(splitBytes, total / tasksMax)
  const tasks: Split[][] = []
  let filled = Infinity
  for (const split of splits) {
    // By half: tasks are about as large as wanted, not always smaller. What could not be cut and is too large already has its own.
    if (filled + cost(split) / 2 > most || cost(split) > splitBytes) {
      tasks.push([])
      filled = 0
    }
    tasks.at(-1)?.push(split)
    filled += cost(split)
  }
  return tasks
}

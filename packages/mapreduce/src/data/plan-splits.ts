/** Cuts the input into the pieces that map tasks get (MapReduce §3.1, step 1). */
import type { Split } from '../formats.ts'

export const DEFAULT_SPLIT_BYTES = 64 * 2 ** 20

export interface SplitOptions {
  /** How large a split is, at most, in bytes. Default 64 MB, as in the paper. */
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

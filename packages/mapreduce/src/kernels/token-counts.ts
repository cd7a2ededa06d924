/** Word count, as fast as the machine allows. */
import { unpacked } from '../data/gzip-format.ts'
import { readAt, readInto } from '../data/record-windows.ts'
import type { InputBytes } from '../formats.ts'
import { defineJob, type Job } from '../job.ts'
import type { Kernel, KernelOutput } from './kernel.ts'
import { sum, sumValues } from './sum.ts'
import { sumRuns } from './sum-runs.ts'
import { isLetter, PlainTokenCounter, WasmTokenCounter, type TokenCounter } from './token-counter.ts'

const SCAN_BYTES = 1 << 12

/** How often each word occurs: maximal runs of ASCII letters, upper and lower case apart. */
export function tokenCounts(): Job<string, string, number, string, number> & {
  readonly kernel: Kernel
} {
  const job = defineJob<string, string, number, string, number>({
    name: 'token counts',
    map(line, emit) {
      for (const word of line.match(/[A-Za-z]+/g) ?? []) emit(word, 1)
    },
    combine: sum,
    reduce: sumValues,
  })
  return { ...job, kernel: tokenKernel((output, budget) => WasmTokenCounter.create(output, budget)) }
}

/** @param create the counter, or undefined for the reference */
export function tokenKernel(
  create: (output: KernelOutput, budgetBytes: number) => TokenCounter | undefined,
): Kernel {
  return {
    name: 'token counts',
    splittable: true,
    map({ input, split, output, onProgress }) {
      const counter = create(output, output.budgetBytes) ?? new PlainTokenCounter(output)
      const source = split.file.endsWith('.gz') ? unpacked(input) : input
      const end = source === input ? split.end : Infinity
      return countSplit(source, split.start, end, counter, output, onProgress)
    },
    reduce: sumRuns,
  }
}

async function countSplit(
  input: InputBytes,
  start: number,
  end: number,
  counter: TokenCounter,
  output: KernelOutput,
  onProgress: (position: number) => void,
): Promise<void> {
  const from = await wordBoundary(input, start)
  const to = end === Infinity ? end : await wordBoundary(input, end)
  let position = from
  while (position < to) {
    const room = counter.input.subarray(0, to - position)
    const length = await readInto(input, room, position)
    const isLast = length < room.length || position + length >= to
    const done = counter.count(length, isLast)
    if (isLast) break
    position += done === 0 ? await giant(input, position, output) : done
    onProgress(position)
  }
  counter.finish()
}

/** Behind the word that goes on across `position`, which belongs to the split before. */
async function wordBoundary(input: InputBytes, position: number): Promise<number> {
  if (position === 0 || position >= input.size) return position
  for (let at = position - 1; ;) {
    const bytes = await readAt(input, at, SCAN_BYTES)
    const end = bytes.findIndex((byte) => !isLetter(byte))
    if (end !== -1) return Math.max(at + end, position)
    at += bytes.length
    if (bytes.length < SCAN_BYTES) return at
  }
}

/** A word that is longer than what a counter takes at a time. @returns its length */
async function giant(input: InputBytes, position: number, output: KernelOutput): Promise<number> {
  let length = 0
  for (let wanted = SCAN_BYTES; ; wanted *= 2) {
    const bytes = await readAt(input, position, wanted)
    while (length < bytes.length && isLetter(bytes[length] as number)) length++
    if (length < bytes.length || bytes.length < wanted) {
      output.emitBytes(bytes, 0, length, 1)
      return length
    }
  }
}

/** The lines that match, as the paper's grep (MapReduce §5.2): looked for in whole blocks, since most lines do not. */
import { isAscii } from 'node:buffer'
import { unpacked } from '../data/gzip-format.ts'
import { numberKey, textKey, tupleKey } from '../data/keys.ts'
import { lineBlocks } from '../data/line-blocks.ts'
import { textFormat } from '../data/output-formats.ts'
import { asBuffer } from '../data/text.ts'
import { textValue } from '../data/values.ts'
import { defineJob, type Job } from '../job.ts'
import type { Kernel, KernelRun } from './kernel.ts'
import { requiredText } from './required-text.ts'

/** Where a line stands: the file, and the byte at which the line begins. */
export type Place = readonly [file: string, offset: number]

const BLOCK_BYTES = 1 << 20
const LF = 10
const BYTE_ORDER_MARK = '\ufeff'
/** Shorter texts that an expression requires are in too many lines. */
const REQUIRED_MIN = 2
/** One line in so many bytes that holds a required text, or fewer: else the expression is looked for itself. */
const BYTES_PER_CANDIDATE = 2048
/** What can look past the ends of a line: such expressions meet each line alone. */
const LOOKS_AROUND = /\(\?<?[=!]/

/**
 * The lines that hold a text or match an expression, in the order of files and places: `file:byte<TAB>line`.
 *
 * @throws {RangeError} for text that is empty or holds a line end: no line does
 */
export function grep(
  pattern: string | RegExp,
): Job<string, Place, string, string, string> & { readonly kernel: Kernel } {
  if (pattern === '' || (typeof pattern === 'string' && /[\r\n]/.test(pattern)))
    throw new RangeError('a text to look for is not empty, and has no line end')
  const matches = matcher(pattern)
  const job = defineJob<string, Place, string, string, string>({
    name: `grep ${String(pattern)}`,
    key: tupleKey<Place>(textKey, numberKey),
    value: textValue,
    output: textFormat('places', (place, line) => `${place}\t${line}\n`),
    map(line, emit, { inputFile, offset }) {
      if (matches(line)) emit([inputFile, offset], line)
    },
    reduce([file, offset], lines, emit) {
      for (const line of lines) emit(`${file}:${offset}`, line)
    },
  })
  return { ...job, kernel: grepKernel(pattern) }
}

function grepKernel(pattern: string | RegExp): Kernel {
  const matches = matcher(pattern)
  const find = typeof pattern === 'string' ? literalFinder(pattern) : expressionFinder(pattern)
  return {
    name: 'grep',
    splittable: true,
    async map({ input, split, output, onProgress }: KernelRun) {
      const isPacked = split.file.endsWith('.gz')
      const source = isPacked ? unpacked(input) : input
      const end = isPacked ? Infinity : split.end
      for await (const { bytes, position } of lineBlocks(source, split.start, end, BLOCK_BYTES)) {
        const block = asBuffer(bytes)
        const next = find(block)
        for (let at = 0; at < block.length;) {
          const hit = next(at)
          // Behind the last line end is no line.
          if (hit === -1 || (hit === block.length && block[hit - 1] === LF)) break
          const from = hit === 0 ? 0 : block.lastIndexOf(LF, hit - 1) + 1
          const to = block.indexOf(LF, hit)
          const line = lineText(block, from, to === -1 ? block.length : to, position)
          if (matches(line)) output.emit([split.file, position + from], line)
          if (to === -1) break
          at = to + 1
        }
        onProgress(position + block.length)
      }
    },
  }
}

/** Given a place where a line begins: some place in the next line that may match, at it or after it; -1 for none. */
type Next = (at: number) => number

function literalFinder(text: string): (block: Buffer) => Next {
  const wanted = Buffer.from(text)
  return (block) => (at) => block.indexOf(wanted, at)
}

/** By a text that all matches hold, as long as few lines do. */
function expressionFinder(expression: RegExp): (block: Buffer) => Next {
  const byExpression = wholeExpressionFinder(expression)
  const required = requiredText(expression)
  if (required.length < REQUIRED_MIN) return byExpression
  const byText = literalFinder(required)
  let isRare = true
  return (block) => {
    if (!isRare) return byExpression(block)
    const next = byText(block)
    let candidates = 0
    return (at) => {
      candidates++
      isRare = candidates * BYTES_PER_CANDIDATE <= Math.max(block.length, BLOCK_BYTES)
      return next(at)
    }
  }
}

function wholeExpressionFinder(expression: RegExp): (block: Buffer) => Next {
  // A match within a line is one in the block as well, if `^` and `$` mean lines and nothing looks past them. What the
  // block has beyond that is sorted out line by line.
  const flags = [...new Set(`${expression.flags.replace(/[gy]/g, '')}gm`)].join('')
  const inBlock = new RegExp(expression.source, flags)
  const isSafe = !LOOKS_AROUND.test(expression.source)
  return (block) => {
    if (!isSafe || !isAscii(block)) return (at) => at
    const text = block.toString('latin1')
    return (at) => {
      inBlock.lastIndex = at
      return inBlock.exec(text)?.index ?? -1
    }
  }
}

function matcher(pattern: string | RegExp): (line: string) => boolean {
  if (typeof pattern === 'string') return (line) => line.includes(pattern)
  // A `g` or `y` would make the answer depend on the line before.
  const expression = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
  return (line) => expression.test(line)
}

/** As the text format reads it: without CR, and without a byte order mark at the beginning of the file. */
function lineText(block: Buffer, from: number, to: number, position: number): string {
  const end = to > from && block[to - 1] === 13 ? to - 1 : to
  const text = block.toString('utf8', from, end)
  return position + from === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}

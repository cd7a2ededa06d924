/** What the kernel finds in blocks is what the plain map finds line by line. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textLines } from '../../src/data/line-formats.ts'
import type { TaskContext } from '../../src/context.ts'
import type { InputBytes } from '../../src/formats.ts'
import { grep, type Place } from '../../src/kernels/grep.ts'
import type { KernelOutput } from '../../src/kernels/kernel.ts'

type Found = [Place, string][]

function inputOf(bytes: Uint8Array): InputBytes {
  return { size: bytes.length, read: (position, length) => bytes.subarray(position, position + length) }
}

async function byKernel(
  pattern: string | RegExp,
  bytes: Uint8Array,
  cuts: readonly number[],
  file = 'f',
): Promise<Found> {
  const found: Found = []
  const output = {
    emit: (place: Place, line: string) => {
      found.push([place, line])
    },
  } as unknown as KernelOutput
  const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  for (let i = 0; i + 1 < at.length; i++) {
    const split = { file, start: at[i]!, end: at[i + 1]!, fileBytes: bytes.length }
    await grep(pattern).kernel.map({ input: inputOf(bytes), split, output, plan: '', onProgress: () => {} })
  }
  return found
}

async function byLine(pattern: string | RegExp, bytes: Uint8Array): Promise<Found> {
  const found: Found = []
  for await (const batch of textLines.records(inputOf(bytes), 0, bytes.length))
    for (const { offset, record } of batch)
      void grep(pattern).map(record, (place, line) => found.push([place, line]), {
        inputFile: 'f',
        offset,
      } as TaskContext)
  return found
}

const unit = fc.constantFrom('a', 'b', 'A', ' ', '\n', '\r\n', '\r', '\n\n')
const texts = fc
  .oneof(
    fc.string({ unit, maxLength: 60 }),
    fc.string({ unit: fc.oneof(unit, fc.constantFrom('ü', '\u2028', '\u{1f600}')), maxLength: 60 }),
  )
  .chain((text) => fc.constantFrom(text, `\ufeff${text}`))
const patterns = fc.constantFrom<string | RegExp>(
  ...['a', 'ab', 'ü', 'a b'],
  ...[/a/, /^a/, /b$/, /^$/, /a\s*b/, /[^a]/, /a.b/s, /A/i, /^a+$/m, /ab?/g, /a/y, /\bab\b/, /(a)\1/, /./u],
  ...[/a(?!.)/, /(?<!a)b/, /b(?=$)/, /(?<=^)a/, /a[^]*b/, /a\n?b/, /\r/, /a(?![^])/, /(?<![^])b/],
)

describe('grep', () => {
  test('any text, cuts and pattern: the same lines and places as line by line', async () => {
    await fc.assert(
      fc.asyncProperty(
        texts,
        patterns,
        fc.array(fc.nat(80), { maxLength: 4 }),
        async (text, pattern, cuts) => {
          const bytes = Buffer.from(text)
          expect(await byKernel(pattern, bytes, cuts)).toEqual(await byLine(pattern, bytes))
        },
      ),
      { numRuns: 600 },
    )
  })

  test('hits in the first and last line of blocks, and a line longer than a block', async () => {
    const line = (i: number): string => `${i} ${'-'.repeat(90)}`
    const lines = Array.from({ length: 25_000 }, (_, i) => (i % 997 === 0 ? `hit ${line(i)}` : line(i)))
    const text = [...lines, `${'y'.repeat(1_500_000)}hit`, 'hit'].join('\n')
    const found = await byKernel('hit', Buffer.from(text), [1_000_000])
    expect(found.map(([, hit]) => hit)).toEqual(text.split('\n').filter((one) => one.includes('hit')))
    expect(await byKernel(/h[i]t/, Buffer.from(text), [1_000_000])).toEqual(found)
  })

  test('a text that the expression requires: in few lines of a block, in many, in none', async () => {
    const line = (i: number): string => `${i} ${i % 5000 < 100 ? 'needle' : 'hay'} ${i % 3}`
    const text = Array.from({ length: 150_000 }, (_, i) => line(i)).join('\n')
    for (const expression of [/needle [12]$/, /hay 2/, /nowhere\d/]) {
      const hits = (await byKernel(expression, Buffer.from(text), [1_000_000])).map(([, hit]) => hit)
      expect(hits).toEqual(text.split('\n').filter((one) => expression.test(one)))
    }
  })

  test('a packed file is unpacked', async () => {
    expect(await byKernel('b', gzipSync('a\nb\n'), [], 'f.gz')).toEqual([[['f.gz', 2], 'b']])
  })

  test('a text that no line can hold is refused', () => {
    for (const text of ['', 'a\nb']) expect(() => grep(text)).toThrow(RangeError)
  })
})

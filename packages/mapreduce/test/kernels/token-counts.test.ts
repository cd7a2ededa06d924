/** The kernel against the plain counter, and both against a regular expression. */
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Groups } from '../../src/data/groups.ts'
import { MapOutput } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import type { InputBytes } from '../../src/formats.ts'
import { sum } from '../../src/kernels/sum.ts'
import { WasmTokenCounter } from '../../src/kernels/token-counter.ts'
import { tokenCounts, tokenKernel } from '../../src/kernels/token-counts.ts'
import type { Kernel } from '../../src/kernels/kernel.ts'

const wasm = tokenCounts().kernel
const plain = tokenKernel(() => undefined)

function inputOf(bytes: Uint8Array): InputBytes {
  return { size: bytes.length, read: (position, length) => bytes.subarray(position, position + length) }
}

interface Setting {
  readonly budgetBytes?: number
  readonly file?: string
  readonly partitions?: number
  readonly partition?: (word: string, partitions: number) => number
}

/** What the kernel counts when the file is cut there: the words of one partition after those of another. */
async function counted(
  kernel: Kernel,
  bytes: Uint8Array,
  cuts: readonly number[] = [],
  { budgetBytes = 2 ** 22, file = 'text', partitions = 1, partition }: Setting = {},
): Promise<[string, number][]> {
  const files = new MemoryFiles()
  const output = new MapOutput<string, number>({
    files,
    path: 'map',
    partitions,
    partition,
    budgetBytes,
    combine: sum,
  })
  const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  for (let i = 0; i + 1 < at.length; i++)
    await kernel.map({
      input: inputOf(bytes),
      split: { file, start: at[i]!, end: at[i + 1]!, fileBytes: bytes.length },
      output,
      plan: '',
      onProgress: () => {},
    })
  const { path, spills } = output.finish()
  const counts: [string, number][] = []
  for (let number = 0; number < partitions; number++) {
    const sources = spills.map((segments) => ({ path, segment: segments[number]! }))
    const { run } = new ReduceInput({ files, sources, scratch: 's', budgetBytes })
    const groups = new Groups<string, number>(run)
    while (groups.next()) counts.push([groups.key, [...groups.values].reduce((a, b) => a + b, 0)])
  }
  return counts
}

function wordsOf(text: string): [string, number][] {
  const counts = new Map<string, number>()
  for (const word of text.match(/[A-Za-z]+/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1))
}

const letters = fc.constantFrom('a', 'Z', 'z', 'A', 'b', ' ', '\n', '[', '`', '@', '{', 'ü', '0', '\0')
const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: letters, maxLength: 40 }),
      fc
        .tuple(fc.integer({ min: 1, max: 200 }), fc.constantFrom('x', 'yz', '. '))
        .map(([n, text]) => text.repeat(n)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''))

describe('token counts', () => {
  test('any text, cut at any byte: WebAssembly, JavaScript and a regular expression count the same', async () => {
    await fc.assert(
      fc.asyncProperty(texts, fc.array(fc.nat(900), { maxLength: 5 }), async (text, cuts) => {
        const bytes = Buffer.from(text)
        const expected = wordsOf(text)
        expect(await counted(plain, bytes, cuts)).toEqual(expected)
        expect(await counted(wasm, bytes, cuts)).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })

  test('several partitions, by hash or by choice: each has the same words in the same order', async () => {
    const partition = (word: string, partitions: number): number => (word.length * 7) % partitions
    await fc.assert(
      fc.asyncProperty(texts, fc.integer({ min: 2, max: 5 }), async (text, partitions) => {
        for (const setting of [{ partitions }, { partitions, partition }])
          expect(await counted(wasm, Buffer.from(text), [77], setting)).toEqual(
            await counted(plain, Buffer.from(text), [], setting),
          )
      }),
      { numRuns: 15 },
    )
  })

  test('words that agree in eight letters and more, of all lengths, in the order of their bytes', async () => {
    const words = Array.from({ length: 3000 }, (_, i) => {
      const number = Math.imul(i, 0x9e3779b1) >>> 0
      const tail = number.toString(26).replace(/[0-9]/g, (digit) => 'QRSTUVWXYZ'.charAt(Number(digit)))
      return `${'same'.repeat(number % 5)}${tail.slice(0, number % 9)}`
    })
    const text = words.join(' ')
    expect(await counted(wasm, Buffer.from(text), [5000])).toEqual(wordsOf(text))
  })

  test('any bytes: what is no letter parts words', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const expected = wordsOf(Buffer.from(bytes).toString('latin1'))
        expect(await counted(wasm, bytes)).toEqual(expected)
        expect(await counted(plain, bytes)).toEqual(expected)
      }),
      { numRuns: 20 },
    )
  })

  test('more words than the table has room for, of all lengths, in several blocks: drained, and counted on', async () => {
    const word = (n: number): string => {
      let text = ''
      for (let left = n + 1; left > 0; left = Math.floor(left / 26))
        text += String.fromCharCode(97 + (left % 26))
      return text.repeat(1 + (n % 9))
    }
    const text = Array.from({ length: 150_000 }, (_, i) => word((i * 7919) % 60_000)).join(' ')
    const bytes = Buffer.from(text)
    const expected = wordsOf(text)
    expect(await counted(wasm, bytes, [700_001], { budgetBytes: 2 ** 20 })).toEqual(expected)
    expect(await counted(wasm, bytes)).toEqual(expected)
  })

  test.each([12, 13, 2 ** 16, 2 ** 20, 2 ** 20 + 1])('a word of %i letters is one word', async (length) => {
    const text = `a ${'b'.repeat(length)} c ${'b'.repeat(length)}`
    expect(await counted(wasm, Buffer.from(text), [1000, 1_500_000], { budgetBytes: 2 ** 26 })).toEqual(
      wordsOf(text),
    )
    expect(await counted(plain, Buffer.from(text), [1000, 1_500_000], { budgetBytes: 2 ** 26 })).toEqual(
      wordsOf(text),
    )
  })

  test('a packed file is unpacked', async () => {
    const text = 'one two two '.repeat(1000)
    expect(await counted(wasm, gzipSync(text), [], { file: 'text.gz' })).toEqual(wordsOf(text))
  })

  test('WebAssembly is there on this machine', () => {
    const output = new MapOutput<string, number>({
      files: new MemoryFiles(),
      path: 'map',
      partitions: 1,
      combine: sum,
    })
    expect(WasmTokenCounter.create(output, 2 ** 20)).toBeDefined()
  })
})

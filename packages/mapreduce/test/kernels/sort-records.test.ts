import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareKeys } from '../../src/data/compare.ts'
import { MapOutput, type MapOutputFile } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { PartFile } from '../../src/data/part-file.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import type { Segment } from '../../src/data/spill-format.ts'
import { bytesKey } from '../../src/data/keys.ts'
import { bytesValue } from '../../src/data/values.ts'
import { sortKernel, type RecordPartition } from '../../src/kernels/sort-records.ts'

interface Setting {
  readonly cuts?: readonly number[]
  readonly budgetBytes?: number
  readonly partitions?: number
  readonly partition?: RecordPartition
  readonly isPlain?: boolean
  readonly file?: string
}

/** The parts that the kernel makes of a file that is cut there, each cut a map task. */
async function sorted(width: number, bytes: Uint8Array, setting: Setting = {}): Promise<Buffer[]> {
  const { cuts = [], budgetBytes = 2 ** 20, partitions = 1, partition, isPlain = false, file = 'f' } = setting
  const kernel = sortKernel(width, partition, isPlain)
  const files = new MemoryFiles()
  const input = { size: bytes.length, read: (at: number, length: number) => bytes.subarray(at, at + length) }
  const read = (_file: string, at: number, length: number): Uint8Array => input.read(at, length)
  const plan = kernel.plan?.({ files: [{ file, fileBytes: bytes.length }], partitions, read }) ?? ''
  const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  const outputs: MapOutputFile[] = []
  for (let i = 0; i + 1 < at.length; i++) {
    const codecs = { key: bytesKey, value: bytesValue }
    const output = new MapOutput({ files, path: `map${i}`, partitions, budgetBytes, ...codecs })
    const split = { file, start: at[i]!, end: at[i + 1]!, fileBytes: bytes.length }
    await kernel.map({ input, split, output, plan, onProgress: () => {} })
    outputs.push(output.finish())
  }
  return Array.from({ length: partitions }, (_, number) => {
    const sources = outputs.flatMap(({ path, spills }) =>
      spills.map((segments) => ({ path, segment: segments[number]! })),
    )
    const part = new PartFile<unknown, unknown>(files.create('part'))
    const reduce = new ReduceInput({ files, sources, scratch: 's', budgetBytes: 1 })
    let told = 0
    kernel.reduce?.({
      get run() {
        return reduce.run
      },
      blocks: () => reduce.blocks(),
      part,
      onProgress: (pairs) => (told = pairs),
    })
    reduce.close()
    const { records } = part.finish()
    expect(told).toBeLessThanOrEqual(records)
    return Buffer.from(files.get('part'))
  })
}

/** One map task's output, in one part. */
async function mapped(width: number, bytes: Uint8Array, files: MemoryFiles): Promise<MapOutputFile> {
  const codecs = { key: bytesKey, value: bytesValue }
  const output = new MapOutput({ files, path: 'map0', partitions: 1, budgetBytes: 2 ** 20, ...codecs })
  const input = { size: bytes.length, read: (at: number, length: number) => bytes.subarray(at, at + length) }
  const split = { file: 'f', start: 0, end: bytes.length, fileBytes: bytes.length }
  await sortKernel(width).map({ input, split, output, plan: '', onProgress: () => {} })
  return output.finish()
}

function recordsOf(width: number, bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / width }, (_, i) => bytes.subarray(i * width, (i + 1) * width))
}

const cases = fc.integer({ min: 1, max: 40 }).chain((width) =>
  fc.tuple(
    fc.constant(width),
    fc
      .array(
        fc.oneof(
          fc.uint8Array({ minLength: width, maxLength: width, max: 3 }),
          fc.uint8Array({ minLength: width, maxLength: width, min: 254 }),
          fc.constant(new Uint8Array(width).fill(255)),
        ),
        { maxLength: 150 },
      )
      .map((records) => Buffer.concat(records)),
  ),
)
const cutLists = fc.array(fc.nat(4000), { maxLength: 4 })
const budgets = fc.constantFrom(1, 300_000, 2 ** 20)

describe('sort of records', () => {
  test('any records, width, cuts and budget: all of them, in bytewise order, in WebAssembly and without', async () => {
    await fc.assert(
      fc.asyncProperty(cases, cutLists, budgets, async ([width, bytes], cuts, budgetBytes) => {
        const expected = Buffer.concat(recordsOf(width, bytes).sort(compareKeys))
        for (const isPlain of [false, true]) {
          const [part] = await sorted(width, bytes, { cuts, budgetBytes, isPlain })
          expect(part?.equals(expected)).toBe(true)
        }
      }),
      { numRuns: 80 },
    )
  })

  test('several parts, by borders drawn from the input: in order one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(cases, cutLists, budgets, async ([width, bytes], cuts, budgetBytes) => {
        const parts = await sorted(width, bytes, { cuts, budgetBytes, partitions: 3 })
        expect(Buffer.concat(parts).equals(Buffer.concat(recordsOf(width, bytes).sort(compareKeys)))).toBe(
          true,
        )
        expect(await sorted(width, bytes, { cuts, budgetBytes, partitions: 3, isPlain: true })).toEqual(parts)
      }),
      { numRuns: 50 },
    )
  })

  test("the user's partition, which need not rise with the records: each part sorted, as without WebAssembly", async () => {
    const partition: RecordPartition = (bytes, start, partitions) => bytes[start]! % partitions
    await fc.assert(
      fc.asyncProperty(cases, cutLists, async ([width, bytes], cuts) => {
        const parts = await sorted(width, bytes, { cuts, partition, partitions: 3 })
        parts.forEach((part, number) => {
          const mine = recordsOf(width, bytes).filter((record) => partition(record, 0, 3) === number)
          expect(part.equals(Buffer.concat(mine.sort(compareKeys)))).toBe(true)
        })
        expect(await sorted(width, bytes, { cuts, partition, partitions: 3, isPlain: true })).toEqual(parts)
      }),
      { numRuns: 30 },
    )
  })

  test('records by the thousand, of which many agree in long beginnings: sorted deeper and deeper', async () => {
    const width = 100
    const bytes = new Uint8Array(width * 6000)
    for (let i = 0; i < 6000; i++) {
      const record = bytes.subarray(i * width, (i + 1) * width).fill(65)
      const number = Math.imul(i, 0x9e3779b1) >>> 0
      record[[3, 40, 97][i % 3]!] = 60 + (number % 7)
      record[99] = number >>> 24
    }
    const parts = await sorted(width, bytes, { cuts: [123_456], partitions: 4, budgetBytes: 2 ** 19 })
    expect(Buffer.concat(parts).equals(Buffer.concat(recordsOf(width, bytes).sort(compareKeys)))).toBe(true)
  })

  test('records for several buckets, a few of which differ where the first ones agree: all in order, whatever the parts', async () => {
    const [width, count] = [64, 40_000]
    const bytes = new Uint8Array(width * count).fill(70)
    for (let i = 0; i < count; i++) {
      const key = Math.imul(i + 1, 0x9e3779b1) >>> 0
      const record = bytes.subarray(i * width, (i + 1) * width)
      for (let at = 0; at < 4; at++) record[3 + at] = key >>> (24 - 8 * at)
      if (i % 1000 === 999) record[i % 3] = key & 255
    }
    const expected = Buffer.concat(recordsOf(width, bytes).sort(compareKeys))
    const setting = { cuts: [2_000_000], partitions: 3, budgetBytes: 2 ** 22 }
    expect(Buffer.concat(await sorted(width, bytes, setting)).equals(expected)).toBe(true)
    const partition: RecordPartition = (all, at, partitions) => all[at + 6]! % partitions
    const parts = await sorted(width, bytes, { ...setting, partition })
    expect(
      Buffer.concat(parts.flatMap((part) => recordsOf(width, part)).sort(compareKeys)).equals(expected),
    ).toBe(true)
    for (const part of parts)
      expect(part.equals(Buffer.concat(recordsOf(width, part).sort(compareKeys)))).toBe(true)
  })

  test('what records begin and end with is spilled once, and stands in each when it is merged, in WebAssembly and without', async () => {
    const ends = fc.record({
      before: fc.nat(40),
      between: fc.nat(9),
      after: fc.nat(70),
      odd: fc.option(fc.record({ record: fc.nat(299), at: fc.nat(200) })),
    })
    await fc.assert(
      fc.asyncProperty(ends, cutLists, fc.boolean(), async ({ before, between, after, odd }, cuts, isOne) => {
        const [width, count] = [before + between + after + 1, 300]
        const bytes = new Uint8Array(width * count).fill(120)
        for (let i = 0; i < count; i++)
          for (let at = 0; at <= between; at++)
            bytes[i * width + before + at] = (Math.imul(i * 16 + at, 0x9e3779b1) >>> 20) & 255
        if (odd !== null) bytes[odd.record * width + (odd.at % width)] = 7
        const partition: RecordPartition = (all, at, partitions) => all[at + before]! % partitions
        const setting = { cuts, partitions: 3, ...(isOne ? {} : { partition }) }
        const parts = await sorted(width, bytes, setting)
        const records = recordsOf(width, bytes).sort(compareKeys)
        if (isOne) expect(Buffer.concat(parts).equals(Buffer.concat(records))).toBe(true)
        expect(await sorted(width, bytes, { ...setting, isPlain: true })).toEqual(parts)
      }),
      { numRuns: 80 },
    )
  })

  test('a spill of records that end alike takes little, and one of others what they take', async () => {
    const spilled = async (bytes: Uint8Array): Promise<number> => {
      const files = new MemoryFiles()
      await mapped(100, bytes, files)
      return files.get('map0').length
    }
    const noise = new Uint8Array(100 * 2000).map((_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24)
    const alike = noise.map((byte, i) => (i % 100 < 10 ? byte : 32))
    expect(await spilled(noise)).toBeLessThan(noise.length * 1.03)
    expect(await spilled(alike)).toBeLessThan(alike.length * 0.12)
  })

  test('any byte of packed records changed in any way: SPILL_CORRUPT with the path', async () => {
    const files = new MemoryFiles()
    const bytes = new Uint8Array(20 * 1500).map((_, i) => (i % 20 < 4 ? Math.imul(i, 0x9e3779b1) >>> 24 : 9))
    const { spills } = await mapped(20, bytes, files)
    const whole = files.get('map0')
    const [[segment]] = spills as [[Segment]]
    const readBack = (): void => {
      const part = new PartFile<unknown, unknown>(files.create('part'))
      const sources = [{ path: 'map0', segment }]
      const reduce = new ReduceInput({ files, sources, scratch: 's', budgetBytes: 2 ** 20 })
      const run = { run: reduce.run, blocks: () => reduce.blocks(), part, onProgress: () => {} }
      sortKernel(20).reduce?.(run)
    }
    readBack()
    expect(segment.bytes).toBeLessThan(bytes.length / 2)
    fc.assert(
      fc.property(fc.nat(segment.bytes - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const damaged = whole.slice()
        damaged[segment.offset + at]! ^= flip
        files.put('map0', damaged)
        expect(readBack).toThrow(expect.objectContaining({ code: 'SPILL_CORRUPT', path: 'map0' }))
      }),
      { numRuns: 200 },
    )
  })

  test('parts by borders are of like size', async () => {
    const bytes = new Uint8Array(10 * 40_000).map((_, i) => (Math.imul(i + 7, 0x85ebca6b) >>> 13) & 255)
    const parts = await sorted(10, bytes, { partitions: 8 })
    for (const { length } of parts) expect(Math.abs(length - 50_000)).toBeLessThan(10_000)
  })

  test('a packed file is unpacked', async () => {
    const [part] = await sorted(2, gzipSync('bbaacc'), { file: 'f.gz' })
    expect(part?.toString()).toBe('aabbcc')
  })

  test('a file that ends within a record is refused', async () => {
    await expect(sorted(7, new Uint8Array(20))).rejects.toMatchObject({ code: 'BAD_RECORD' })
  })
})

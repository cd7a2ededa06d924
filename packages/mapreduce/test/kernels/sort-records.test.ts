import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareKeys } from '../../src/data/compare.ts'
import { MapOutput } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { PartFile } from '../../src/data/part-file.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import { bytesKey } from '../../src/data/keys.ts'
import { bytesValue } from '../../src/data/values.ts'
import { sortRecords } from '../../src/kernels/sort-records.ts'

async function sorted(
  width: number,
  bytes: Uint8Array,
  cuts: readonly number[],
  budgetBytes: number,
): Promise<Uint8Array> {
  const { kernel } = sortRecords({ width })
  const files = new MemoryFiles()
  const output = new MapOutput({
    files,
    path: 'map',
    partitions: 1,
    budgetBytes,
    key: bytesKey,
    value: bytesValue,
  })
  const input = { size: bytes.length, read: (at: number, length: number) => bytes.subarray(at, at + length) }
  const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length]
  for (let i = 0; i + 1 < at.length; i++) {
    const split = { file: 'f', start: at[i]!, end: at[i + 1]!, fileBytes: bytes.length }
    await kernel.map({ input, split, output, onProgress: () => {} })
  }
  const { path, spills } = output.finish()
  const sources = spills.map(([segment]) => ({ path, segment: segment! }))
  const part = new PartFile<unknown, unknown>(files.create('part'))
  kernel.reduce?.(new ReduceInput({ files, sources, scratch: 's', budgetBytes: 1 }).run, part)
  expect(part.finish().records).toBe(bytes.length / width)
  return files.get('part')
}

test('any records, width, cuts and budget: all of them, in bytewise order', async () => {
  const cases = fc
    .integer({ min: 1, max: 12 })
    .chain((width) =>
      fc.tuple(
        fc.constant(width),
        fc.array(fc.uint8Array({ minLength: width, maxLength: width, max: 3 }), { maxLength: 150 }),
      ),
    )
  await fc.assert(
    fc.asyncProperty(
      cases,
      fc.array(fc.nat(1500), { maxLength: 4 }),
      fc.constantFrom(1, 1000, 2 ** 20),
      async ([width, records], cuts, budget) => {
        const expected = Buffer.concat([...records].sort(compareKeys))
        expect(Buffer.from(await sorted(width, Buffer.concat(records), cuts, budget)).equals(expected)).toBe(
          true,
        )
      },
    ),
    { numRuns: 100 },
  )
})

test('a file that ends within a record is refused', async () => {
  await expect(sorted(7, new Uint8Array(20), [], 2 ** 20)).rejects.toMatchObject({ code: 'BAD_RECORD' })
})

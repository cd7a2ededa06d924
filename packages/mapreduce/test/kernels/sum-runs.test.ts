/** What the kernel writes is what the job's own reduce would have. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Groups } from '../../src/data/groups.ts'
import { bytesKey, numberKey } from '../../src/data/keys.ts'
import { MapOutput } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { PartFile } from '../../src/data/part-file.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import { jsonLines } from '../../src/data/output-formats.ts'
import type { KeyCodec } from '../../src/formats.ts'
import { defineJob } from '../../src/job.ts'
import { sumOf, sumRuns } from '../../src/kernels/sum-runs.ts'
import { sumValues } from '../../src/kernels/sum.ts'

type Pairs<K> = readonly (readonly [K, number])[]

function written<K>(
  maps: readonly Pairs<K>[],
  reduce: (input: ReduceInput, part: PartFile<K, number>) => void,
  key?: KeyCodec<K>,
) {
  const files = new MemoryFiles()
  const sources = maps.flatMap((pairs, i) => {
    const path = `map${i}`
    const output = new MapOutput<K, number>({ files, path, partitions: 1, key })
    for (const [key, value] of pairs) output.emit(key, value)
    return output.finish().spills.map(([segment]) => ({ path, segment: segment! }))
  })
  const part = new PartFile<K, number>(files.create('part'))
  const input = new ReduceInput({ files, sources, scratch: 's', budgetBytes: 2 ** 20 })
  reduce(input, part)
  input.close()
  return { ...part.finish(), text: Buffer.from(files.get('part')).toString() }
}

const keys = fc.oneof(
  fc.constantFrom('', 'a', 'b', 'ab'),
  fc.string(),
  fc.string({ minLength: 990, maxLength: 2000 }),
)
const counts = fc.oneof(
  fc.nat(12),
  fc.constantFrom(9, 10, 99, 100, 2 ** 31, 2 ** 53 - 1, -1, 0.5),
  fc.double(),
)

function summed(input: ReduceInput, part: unknown, reduce = sumRuns): void {
  const { run } = input
  reduce({
    ...{ run, blocks: () => input.blocks(), onProgress: () => undefined },
    part: part as PartFile<unknown, unknown>,
  })
}

test('any keys and numbers: the same bytes as by groups, values and lines', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.tuple(keys, counts), { maxLength: 20 }), { maxLength: 3 }), (maps) => {
      const expected = written(maps, (input, part) => {
        const groups = new Groups<string, number>(input.run)
        const emit = (key: string, value: number): void => {
          part.write(key, value)
        }
        while (groups.next()) sumValues(groups.key, groups.values, emit)
      })
      const found = written(maps, summed)
      expect(found).toEqual(expected)
    }),
    { numRuns: 150 },
  )
})

test('keys that are bytes, UTF-8 or not: the same bytes as by lines of text', () => {
  const job = defineJob<string, Uint8Array, number, Uint8Array, number>({
    key: bytesKey,
    map() {},
    reduce: sumValues,
  })
  const reduce = sumOf(job)
  const bytes = fc.uint8Array({ maxLength: 4 })
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, fc.nat(300)), { maxLength: 30 }), (pairs) => {
      const expected = written(
        [pairs],
        (input, part) => {
          const groups = new Groups<Uint8Array, number>(input.run, { key: bytesKey })
          while (groups.next()) sumValues(groups.key, groups.values, (key, value) => part.write(key, value))
        },
        bytesKey,
      )
      expect(written([pairs], (input, part) => summed(input, part, reduce), bytesKey)).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

test('a job with a reduce, a format or values of its own is left alone', () => {
  const map = (): void => {}
  const own = (job: object) => sumOf(job as unknown as Parameters<typeof sumOf>[0])
  expect(own({ map, reduce: sumValues })).toBe(sumRuns)
  expect(own({ map, reduce: () => undefined })).toBeUndefined()
  expect(own({ map, reduce: sumValues, output: jsonLines })).toBeUndefined()
  expect(own({ map, reduce: sumValues, key: numberKey })).toBeUndefined()
})

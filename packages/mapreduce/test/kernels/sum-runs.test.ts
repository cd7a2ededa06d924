/** What the kernel writes is what the job's own reduce would have. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Groups } from '../../src/data/groups.ts'
import { MapOutput } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { PartFile } from '../../src/data/part-file.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import { sumRuns } from '../../src/kernels/sum-runs.ts'
import { sumValues } from '../../src/kernels/sum.ts'

type Pairs = readonly (readonly [string, number])[]

function written(
  maps: readonly Pairs[],
  reduce: (input: ReduceInput, part: PartFile<string, number>) => void,
) {
  const files = new MemoryFiles()
  const sources = maps.flatMap((pairs, i) => {
    const path = `map${i}`
    const output = new MapOutput<string, number>({ files, path, partitions: 1 })
    for (const [key, value] of pairs) output.emit(key, value)
    return output.finish().spills.map(([segment]) => ({ path, segment: segment! }))
  })
  const part = new PartFile<string, number>(files.create('part'))
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
      const found = written(maps, (input, part) => {
        const reduce = { run: input.run, blocks: () => input.blocks(), onProgress: () => undefined }
        sumRuns({ ...reduce, part: part as PartFile<unknown, unknown> })
      })
      expect(found).toEqual(expected)
    }),
    { numRuns: 150 },
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Groups } from '../../src/data/groups.ts'
import { bytesKey } from '../../src/data/keys.ts'
import { MapOutput } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'

type Combine = (left: number, right: number, key: Uint8Array) => number

function found(
  emit: (output: MapOutput<Uint8Array, number>) => void,
  combine: Combine | undefined,
): unknown[] {
  const files = new MemoryFiles()
  const output = new MapOutput<Uint8Array, number>({
    files,
    path: 'm',
    partitions: 1,
    key: bytesKey,
    combine,
  })
  emit(output)
  const sources = output.finish().spills.map(([segment]) => ({ path: 'm', segment: segment! }))
  const groups = new Groups<Uint8Array, number>(
    new ReduceInput({ files, sources, scratch: 's', budgetBytes: 1e6 }).run,
    { key: bytesKey },
  )
  const all: unknown[] = []
  while (groups.next()) all.push([...groups.key, -1, ...groups.values])
  return all
}

test.each<[string, Combine | undefined]>([
  ['no combiner', undefined],
  ['a combiner', (left, right) => left + right],
  ['a combiner that looks at the key', (left, right, key) => left + right + key.length],
])('emit with start and end gives what emit of that piece gives: %s', (_what, combine) => {
  const pieces = fc.array(fc.tuple(fc.nat(30), fc.nat(12), fc.nat(300)), { maxLength: 30 })
  fc.assert(
    fc.property(fc.uint8Array({ max: 2, minLength: 30, maxLength: 60 }), pieces, (line, emitted) => {
      const bySlices = found((output) => {
        for (const [start, length, value] of emitted) output.emit(line, value, start, start + length)
      }, combine)
      const byPieces = found((output) => {
        for (const [start, length, value] of emitted) output.emit(line.slice(start, start + length), value)
      }, combine)
      expect(bySlices).toEqual(byPieces)
    }),
    { numRuns: 60 },
  )
})

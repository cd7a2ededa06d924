/** Damaged, cut and full files: an error that says so, never another output. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DataError } from '../../src/data/errors.ts'
import { Groups } from '../../src/data/groups.ts'
import { MapOutput } from '../../src/data/map-output.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { PartFile } from '../../src/data/part-file.ts'
import { ReduceInput } from '../../src/data/reduce-input.ts'
import { readIndex } from '../../src/data/spill-format.ts'
import { grouped, type Pair } from './oracle.ts'

const PARTITIONS = 2
const pairs = Array.from({ length: 300 }, (_, i): Pair => [`key ${i % 40}`, `value ${i}`])

function written(files: MemoryFiles, budgetBytes = 3000): void {
  const output = new MapOutput<string, unknown>({ files, path: 'map', partitions: PARTITIONS, budgetBytes })
  for (const [key, value] of pairs) output.emit(key, value)
  output.finish()
}

/** What both reduces see, found by the file's own index. */
function readBack(files: MemoryFiles): [string, unknown[]][] {
  const file = files.open('map')
  const spills = readIndex(file)
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const sources = spills.map((segments) => ({ path: 'map', segment: segments[partition]! }))
    const groups = new Groups<string, unknown>(
      new ReduceInput({ files, sources, scratch: 's', budgetBytes: 2 ** 20 }).run,
    )
    const seen: [string, unknown[]][] = []
    while (groups.next()) seen.push([groups.key, [...groups.values]])
    return seen
  }).flat()
}

const byKey = (groups: [string, unknown[]][]): [string, unknown[]][] =>
  groups.sort(([a], [b]) => (a < b ? -1 : 1))

describe('a map output', () => {
  test('its index is found at its end, and leads to all pairs', () => {
    const files = new MemoryFiles()
    written(files)
    expect(readIndex(files.open('map')).length).toBeGreaterThan(1)
    expect(byKey(readBack(files))).toEqual(byKey(grouped(pairs)))
  })

  test('any byte changed in any way: SPILL_CORRUPT with the path, so that the map runs again', () => {
    const files = new MemoryFiles()
    written(files)
    const whole = files.get('map')
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        // The four bytes before the first block only name the format.
        if (at < 4) return
        const damaged = whole.slice()
        damaged[at]! ^= flip
        files.put('map', damaged)
        expect(() => readBack(files)).toThrow(expect.objectContaining({ code: 'SPILL_CORRUPT', path: 'map' }))
      }),
      { numRuns: 400 },
    )
  })

  test('cut at any byte, or with a block in the place of another: SPILL_CORRUPT', () => {
    const files = new MemoryFiles()
    written(files)
    const whole = files.get('map')
    for (let length = 0; length < whole.length; length += 37) {
      files.put('map', whole.subarray(0, length))
      expect(() => readBack(files)).toThrow(DataError)
    }
    const [first, second] = readIndex(files2(whole))
    const [a, b] = [first![0]!, second![0]!]
    const swapped = whole.slice()
    swapped.set(whole.subarray(b.offset, b.offset + Math.min(a.bytes, b.bytes)), a.offset)
    files.put('map', swapped)
    if (a.bytes !== b.bytes) expect(() => readBack(files)).toThrow(DataError)
  })

  test('a full disk is DISK_FULL, at whatever byte', () => {
    const roomy = new MemoryFiles()
    written(roomy)
    for (let capacity = 0; capacity < roomy.used; capacity += 211)
      expect(() => written(new MemoryFiles(capacity))).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
    expect(() => written(new MemoryFiles(roomy.used))).not.toThrow()
  })

  test('discarded after a failure, nothing of it is left', () => {
    const files = new MemoryFiles()
    const output = new MapOutput<string, unknown>({ files, path: 'map', partitions: 1, budgetBytes: 1 })
    output.emit('a', 1)
    output.discard()
    expect(files.paths).toEqual([])
  })
})

describe('a part', () => {
  test('records, bytes and checksum are those of the file, whatever the lengths of its lines', async () => {
    const { crc32 } = await import('node:zlib')
    const files = new MemoryFiles()
    const part = new PartFile<string, string>(files.create('part'))
    const lines = [0, 1, 20_000, 300_000, 5, 90_000, 3].map((n) => ['ü'.repeat(n), 'v'] as const)
    for (const [key, value] of lines) part.write(key, value)
    part.writeBytes(new Uint8Array([120, 10]), 1)
    part.writeSlice(new Uint8Array([1, 121, 10]), 1, 3)
    const summary = part.finish({ durable: true })
    const bytes = files.get('part')
    expect(Buffer.from(bytes).toString()).toBe(lines.map(([k, v]) => `${k}\t${v}\n`).join('') + 'x\ny\n')
    expect(summary).toEqual({ bytes: bytes.length, records: lines.length + 2, crc32: crc32(bytes) })
  })
})

test('merges in several passes leave nothing behind, and open few files at a time', () => {
  const files = new MemoryFiles()
  const sources = Array.from({ length: 40 }, (_, i) => {
    const output = new MapOutput<string, unknown>({ files, path: `map-${i}`, partitions: 1 })
    output.emit(`key ${i % 7}`, i)
    const { path, spills } = output.finish()
    return { path, segment: spills[0]![0]! }
  })
  const before = files.paths
  const input = new ReduceInput({ files, sources, scratch: 'scratch-', budgetBytes: 1 })
  expect(files.paths.length).toBeGreaterThan(before.length)
  const groups = new Groups<string, number>(input.run)
  const seen: [string, number[]][] = []
  while (groups.next()) seen.push([groups.key, [...groups.values]])
  expect(seen).toEqual(grouped(sources.map((_, i): Pair => [`key ${i % 7}`, i])))
  input.close()
  expect(files.paths).toEqual(before)
})

function files2(bytes: Uint8Array): ReturnType<MemoryFiles['open']> {
  const files = new MemoryFiles()
  files.put('map', bytes)
  return files.open('map')
}

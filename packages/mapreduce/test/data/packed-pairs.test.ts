import { expect, test } from 'vitest'
import { BlockReader } from '../../src/data/block-reader.ts'
import { MemoryFiles } from '../../src/data/memory-files.ts'
import { fitsPacked, unpackPairs } from '../../src/data/packed-pairs.ts'
import { SegmentWriter } from '../../src/data/segment-writer.ts'
import { BLOCK_HEADER_BYTES } from '../../src/data/spill-format.ts'

/** Three pairs, `abXcd` with another in the middle. */
const packed = Buffer.from('\x05\0\0\0\x02\0\0\0\x02\0\0\0abXcdXYZ', 'latin1')

test('what pairs have in common stands in each of them again', () => {
  const into = new Uint8Array(15)
  expect(fitsPacked(packed, 3, 15)).toBe(true)
  unpackPairs(packed, into)
  expect(Buffer.from(into).toString()).toBe('abXcdabYcdabZcd')
})

test('what says something else than it holds is refused', () => {
  expect(fitsPacked(packed, 3, 18)).toBe(false)
  expect(fitsPacked(packed, 2, 10)).toBe(false)
  expect(fitsPacked(packed.subarray(0, 19), 3, 15)).toBe(false)
  expect(fitsPacked(packed.subarray(0, 11), 3, 15)).toBe(false)
  const overlapping = Buffer.from(packed)
  overlapping[4] = 4
  // -1 byte of each between what they have in common.
  expect(fitsPacked(overlapping.subarray(0, 14), 3, 15)).toBe(false)
})

test('a block that is whole, but packed in another way than it says, is corrupt', () => {
  const written = (pairs: number, unpackedBytes: number): BlockReader => {
    const files = new MemoryFiles()
    const file = files.create('map')
    const writer = new SegmentWriter(file)
    writer.block({
      bytes: Buffer.concat([Buffer.alloc(BLOCK_HEADER_BYTES), packed]),
      pairs,
      unpackedBytes,
    })
    const segment = writer.endSegment()
    writer.finish()
    return new BlockReader(file, segment)
  }
  const whole = written(5, 25)
  expect(() => whole.read(new Uint8Array(whole.next()))).toThrow(
    expect.objectContaining({ code: 'SPILL_CORRUPT' }),
  )
  // Memory is not taken for what no block can hold.
  expect(() => written(5_000_000, 25_000_000).next()).toThrow(
    expect.objectContaining({ code: 'SPILL_CORRUPT' }),
  )
})

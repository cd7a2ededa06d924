import { ByteWriter, seededRandom } from '@lab/rpc'
import { expect, test } from 'vitest'
import { classOf, sizeOfClass } from '../../src/memory/size-classes.ts'
import { Slab } from '../../src/memory/slab.ts'
import { BLOCK_HEADER_BYTES, StoredReader, writeStored } from '../../src/memory/stored-record.ts'

test('a block is never smaller than asked for, and at most an eighth (and seven bytes) larger', () => {
  for (let size = 1; size <= 1_100_000; size += size < 2000 ? 1 : 997) {
    const got = sizeOfClass(classOf(size))
    expect(got).toBeGreaterThanOrEqual(size)
    expect(got).toBeLessThanOrEqual(size * 1.125 + 7)
    expect(got % 8).toBe(0)
  }
})

/** Blocks with known bytes, by record. */
class Blocks {
  readonly held = new Map<number, { address: number; size: number }>()
  readonly slab = new Slab((record, address) => {
    const block = this.held.get(record)
    if (block === undefined) throw new Error(`${record} is moved, but was given back`)
    block.address = address
    this.moves++
  })
  moves = 0
  #next = 0

  add(size: number): void {
    const record = this.#next++
    const address = this.slab.allocate(size, record)
    this.held.set(record, { address, size })
    const at = this.slab.offset(address)
    this.slab.array(address).fill(record, at + BLOCK_HEADER_BYTES, at + size)
  }

  /** Records of a snapshot, with blocks of these sizes. */
  adopt(sizes: readonly number[]): void {
    const writer = new ByteWriter()
    for (const [i, size] of sizes.entries()) {
      const numbers = { keyLength: 1, version: 1, changed: i + 1, expires: 0 }
      writeStored(writer, numbers, new Uint8Array(size - BLOCK_HEADER_BYTES).fill(this.#next + i))
    }
    // Neither end of what is taken over needs to be aligned, nor of any use.
    const bytes = new ByteWriter().zeros(13).raw(writer.finish()).zeros(1000).finish()
    const reader = new StoredReader()
    this.slab.adopt(bytes, 13)
    let at = 13
    for (const size of sizes) {
      if (!reader.read(bytes, at)) throw new Error('a record that is cut off')
      const record = this.#next++
      const address = this.slab.adoptBlock(reader.block, reader.end - reader.block, record)
      this.held.set(record, { address, size })
      at = reader.end
    }
    this.slab.adopted()
  }

  remove(record: number): void {
    const { address, size } = this.held.get(record) as { address: number; size: number }
    this.held.delete(record)
    this.slab.free(address, classOf(size))
  }

  get liveBytes(): number {
    let bytes = 0
    for (const { size } of this.held.values()) bytes += sizeOfClass(classOf(size))
    return bytes
  }

  check(): void {
    for (const [record, { address, size }] of this.held) {
      const at = this.slab.offset(address)
      const bytes = this.slab.array(address).subarray(at + BLOCK_HEADER_BYTES, at + size)
      if (!bytes.every((byte) => byte === (record & 0xff))) throw new Error(`${record} has other bytes`)
    }
  }
}

test('blocks keep their bytes, whatever is taken, given back and moved around them', () => {
  const blocks = new Blocks()
  const random = seededRandom(1)
  for (let step = 0; step < 8000; step++) {
    const grows = step % 4000 < 2500
    if (random.integer(0, 10) < (grows ? 8 : 2)) blocks.add(400 + random.integer(0, 100))
    else {
      const records = blocks.held.keys()
      for (let skip = random.integer(0, blocks.held.size + 1); skip > 0; skip--) records.next()
      const { value } = records.next()
      if (value !== undefined) blocks.remove(value)
    }
    if (step % 2000 === 0) blocks.check()
  }
  blocks.check()
  expect(blocks.moves).toBeGreaterThan(100)
})

test('memory stays within twice what is held and two pages for each size, however sizes come and go', () => {
  const blocks = new Blocks()
  const random = seededRandom(2)
  let classes = 0
  for (const size of [40, 300, 120, 1000, 64]) {
    classes++
    for (let i = 0; i < 6000; i++) blocks.add(size)
    // Almost all of them go again, in no order: without moving, the few left would hold nearly every page.
    for (const record of [...blocks.held.keys()]) if (random.integer(0, 100) > 1) blocks.remove(record)
    const spare = 16
    expect(blocks.slab.bytes).toBeLessThanOrEqual(2 * blocks.liveBytes + (3 * classes + spare) * 65_536)
  }
  blocks.check()
})

test('what has more than 8 KB has an array of its own, which goes with it', () => {
  const blocks = new Blocks()
  for (let i = 0; i < 20; i++) blocks.add(100_000)
  blocks.check()
  expect(blocks.slab.bytes).toBeGreaterThanOrEqual(2_000_000)
  for (const record of [...blocks.held.keys()]) blocks.remove(record)
  expect(blocks.slab.bytes).toBe(0)
})

test('adopted blocks keep their bytes, and those that are left move out of a region that is half empty', () => {
  const blocks = new Blocks()
  const random = seededRandom(3)
  const size = (): number => (random.integer(0, 200) === 0 ? 9000 : 6 + random.integer(0, 500))
  for (let round = 0; round < 4; round++) {
    blocks.adopt(Array.from({ length: 500 }, size))
    for (let i = 0; i < 200; i++) blocks.add(size())
  }
  blocks.check()
  expect(blocks.slab.bytes).toBeLessThanOrEqual(1.5 * blocks.liveBytes)
  for (const record of [...blocks.held.keys()]) if (random.integer(0, 10) > 0) blocks.remove(record)
  blocks.check()
  expect(blocks.moves).toBeGreaterThan(100)
  const before = blocks.slab.bytes
  for (const record of [...blocks.held.keys()].slice(10)) blocks.remove(record)
  blocks.check()
  expect(blocks.slab.bytes).toBeLessThan(before)
  for (const record of [...blocks.held.keys()]) blocks.remove(record)
  const spare = 16
  expect(blocks.slab.bytes).toBeLessThanOrEqual(spare * 65_536)
})

test('a region of which less than half is used from the beginning is not kept', () => {
  const blocks = new Blocks()
  blocks.adopt([300, 9000, 9000, 9000, 40])
  blocks.check()
  expect(blocks.moves).toBe(2)
  expect(blocks.slab.bytes).toBeLessThan(1.2 * blocks.liveBytes + 4096)
})

import { seededRandom } from '@lab/rpc'
import { expect, test } from 'vitest'
import { classOf, sizeOfClass } from '../../src/memory/size-classes.ts'
import { BLOCK_HEADER_BYTES, Slab } from '../../src/memory/slab.ts'

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

  remove(record: number): void {
    const { address } = this.held.get(record) as { address: number }
    this.held.delete(record)
    this.slab.free(address)
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

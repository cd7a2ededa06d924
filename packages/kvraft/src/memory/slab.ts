/**
 * Where keys and values lie: blocks cut from pages, each page for blocks of one size. A block belongs to a record, whose
 * number stands in its first four bytes, so that blocks can be moved: when less than half of a size's room is used, the blocks of
 * one page are moved to others, two for each that is freed, until the page is free for any size again. However sizes change,
 * the pages of a size are therefore at least half full, but for two. A page is as large as all those of its size together, from a few
 * blocks up to 64 KB: a store of few keys is small. Blocks of more than 8 KB have an array of their own. What is read from a snapshot
 * can become pages as it is, see region.ts: those hold blocks of all sizes.
 *
 *     block  u32 record · key · value          (of a block that is free: u32 2^31 + the next free one of the page)
 *     address  page · 2^13 + offset / 8, or 2^30 + a number for a large block
 */
import { assert } from '@lab/rpc'
import { lastingMemory, lastingMemoryDropped } from './lasting.ts'
import { FREE, Region } from './region.ts'
import { classOf, sizeOfClass } from './size-classes.ts'
import { BLOCK_HEADER_BYTES } from './stored-record.ts'

export type BlockAddress = number

const PAGE_BYTES_MAX = 64 * 1024
const PAGE_BYTES_MIN = 512
const BLOCKS_PER_PAGE_MIN = 4
const PAGE_BITS = 13
const OFFSET_MASK = (1 << PAGE_BITS) - 1
const PAGES_MAX = 1 << 17
const SMALL_BYTES_MAX = 8 * 1024
const LARGE = 2 ** 30
const NO_BLOCK = 2 ** 31 - 1
const MOVES_PER_FREE = 2
/** Pages that are kept for the next need of any size. */
const SPARE_PAGES_MAX = 16
const NOTHING = new Uint8Array(0)
const NO_WORDS = new Uint32Array(0)

/** A page of blocks of one class; or what is seen of a region from some place on, and then only the first two fields count. */
interface Page {
  readonly bytes: Uint8Array
  readonly region: Region | null
  /** The same memory. */
  readonly words: Uint32Array
  sizeClass: number
  /** Blocks that it has room for. */
  room: number
  used: number
  /** Blocks from here on were never used. */
  fresh: number
  /** The first of the chain of freed blocks, or {@link NO_BLOCK}. */
  freed: number
  /** Where it stands among its class's pages with room; -1 when it is full. */
  place: number
}

/** The pages of one size. */
interface SizeClass {
  readonly blockBytes: number
  /** Blocks that all of its pages have room for. */
  room: number
  used: number
  /** Pages with room; the last is filled next, the first is the one to be emptied. */
  readonly withRoom: number[]
  /** The page being emptied, and the next of its blocks to be looked at. */
  emptying: number
  emptyingAt: number
}

export class Slab {
  readonly #pages: (Page | null)[] = []
  readonly #freePageNumbers: number[] = []
  readonly #spare: Page[] = []
  readonly #classes: (SizeClass | undefined)[] = []
  readonly #large: Uint8Array[] = []
  readonly #freeLarge: number[] = []
  /** Those that are being emptied, the first before the others. */
  readonly #halfEmpty: Region[] = []
  /** The one whose blocks are being adopted, and where its last page begins. */
  #adopting: Region | null = null
  #adoptingFrom = 0
  readonly #onMove: (record: number, address: BlockAddress) => void
  /** Of pages, spare ones too, and of regions. */
  #pageBytes = 0
  #largeBytes = 0

  /** @param onMove told when the block of a record was moved */
  constructor(onMove: (record: number, address: BlockAddress) => void) {
    this.#onMove = onMove
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#pageBytes + this.#largeBytes
  }

  /** The array in which a block lies; it begins at {@link offset} there. */
  array(address: BlockAddress): Uint8Array {
    if (address >= LARGE) return this.#large[address - LARGE] as Uint8Array
    return (this.#pages[address >>> PAGE_BITS] as Page).bytes
  }

  offset(address: BlockAddress): number {
    return address >= LARGE ? 0 : (address & OFFSET_MASK) << 3
  }

  /** A block of at least `size` bytes for `record`. */
  allocate(size: number, record: number): BlockAddress {
    if (size > SMALL_BYTES_MAX) return this.#allocateLarge(size)
    const number = classOf(size)
    const sizeClass = this.#class(number)
    const pageNumber = sizeClass.withRoom.at(-1) ?? this.#addPage(number, sizeClass)
    const page = this.#pages[pageNumber] as Page
    const offset = takeBlock(page, sizeClass.blockBytes)
    page.words[offset >>> 2] = record
    sizeClass.used++
    if (++page.used === page.room) {
      sizeClass.withRoom.pop()
      page.place = -1
    }
    return (pageNumber << PAGE_BITS) | (offset >>> 3)
  }

  /** Begins to take over `bytes`, which nobody else may use from now on: block by block, then {@link adopted}. */
  adopt(bytes: Uint8Array, start: number): void {
    this.#adopting = new Region(bytes, start)
    this.#adoptingFrom = -PAGE_BYTES_MAX
    this.#pageBytes += bytes.length
  }

  /** The block at `at` in what is being taken over; those before it were taken over, too. @param size of its class */
  adoptBlock(at: number, size: number, record: number): BlockAddress {
    const region = this.#adopting as Region
    if (size > SMALL_BYTES_MAX) {
      const address = this.#allocateLarge(size)
      this.array(address).set(region.bytes.subarray(at, at + size))
      region.skip(at, size)
      return address
    }
    region.add(at, size, record)
    if (at - this.#adoptingFrom >= PAGE_BYTES_MAX) {
      this.#adoptingFrom = at
      region.pages.push(this.#number(makePage(region.bytes.subarray(at), NO_WORDS, region)))
    }
    return ((region.pages.at(-1) as number) << PAGE_BITS) | ((at - this.#adoptingFrom) >>> 3)
  }

  /** All blocks were taken over. When they are less than half of the bytes, they are copied after all. */
  adopted(): void {
    const region = this.#adopting as Region
    this.#adopting = null
    if (!region.isHalfEmpty) return
    this.#halfEmpty.push(region)
    while (this.#halfEmpty.includes(region)) this.#moveOneLeft()
  }

  /** The block belongs to another record now. */
  assign(address: BlockAddress, record: number): void {
    if (address >= LARGE) return
    const { words, region, bytes } = this.#pages[address >>> PAGE_BITS] as Page
    if (region === null) words[(address & OFFSET_MASK) << 1] = record
    else region.assign(bytes, this.offset(address), record)
  }

  /** Gives a block back. Others may be moved thereby. @param sizeClass of it */
  free(address: BlockAddress, sizeClass: number): void {
    if (address >= LARGE) {
      this.#freeLargeBlock(address - LARGE)
      return
    }
    const page = this.#pages[address >>> PAGE_BITS] as Page
    if (page.region === null) this.#freeInPage(address, page)
    else this.#freeInRegion(address, page.region, sizeOfClass(sizeClass))
    for (let i = 0; i < MOVES_PER_FREE && this.#halfEmpty.length > 0; i++) this.#moveOneLeft()
  }

  #freeInPage(address: BlockAddress, page: Page): void {
    const sizeClass = this.#class(page.sizeClass)
    this.#giveBack(address, page, sizeClass)
    for (let i = 0; i < MOVES_PER_FREE && this.#isHalfEmpty(sizeClass); i++) this.#moveOne(sizeClass)
  }

  #freeInRegion(address: BlockAddress, region: Region, size: number): void {
    const wasHalfEmpty = region.isHalfEmpty
    const { bytes } = this.#pages[address >>> PAGE_BITS] as Page
    region.free(bytes, this.offset(address), size)
    if (!wasHalfEmpty && region.isHalfEmpty) this.#halfEmpty.push(region)
  }

  /** Moves one block out of the region that is being emptied, or lets go of it. */
  #moveOneLeft(): void {
    const region = this.#halfEmpty[0] as Region
    const left = region.nextLeft()
    if (left === null) {
      this.#halfEmpty.shift()
      this.#removeRegion(region)
      return
    }
    const { record, at, size } = left
    const to = this.allocate(size, record)
    const content = region.bytes.subarray(at + BLOCK_HEADER_BYTES, at + size)
    this.array(to).set(content, this.offset(to) + BLOCK_HEADER_BYTES)
    region.free(region.bytes, at, size)
    this.#onMove(record, to)
  }

  #removeRegion({ bytes, pages }: Region): void {
    for (const number of pages) {
      this.#pages[number] = null
      this.#freePageNumbers.push(number)
    }
    this.#pageBytes -= bytes.length
  }

  #giveBack(address: BlockAddress, page: Page, sizeClass: SizeClass): void {
    const pageNumber = address >>> PAGE_BITS
    const at = (address & OFFSET_MASK) << 1
    page.words[at] = FREE + page.freed
    page.freed = at >>> 1
    page.used--
    sizeClass.used--
    if (page.place < 0) page.place = sizeClass.withRoom.push(pageNumber) - 1
    if (page.used === 0) this.#removePage(pageNumber, page, sizeClass)
  }

  /** Moves one block out of the page that is being emptied. */
  #moveOne(sizeClass: SizeClass): void {
    const pageNumber = sizeClass.withRoom[0] as number
    const page = this.#pages[pageNumber] as Page
    if (sizeClass.emptying !== pageNumber || sizeClass.emptyingAt >= page.fresh) {
      sizeClass.emptying = pageNumber
      sizeClass.emptyingAt = 0
    }
    const { blockBytes } = sizeClass
    for (; sizeClass.emptyingAt < page.fresh; sizeClass.emptyingAt += blockBytes) {
      const offset = sizeClass.emptyingAt
      const record = page.words[offset >>> 2] as number
      if (record >= FREE) continue
      const to = this.allocate(blockBytes, record)
      const from = this.offset(to) + BLOCK_HEADER_BYTES
      const rest = page.bytes.subarray(offset + BLOCK_HEADER_BYTES, offset + blockBytes)
      this.array(to).set(rest, from)
      this.#onMove(record, to)
      this.#giveBack((pageNumber << PAGE_BITS) | (offset >>> 3), page, sizeClass)
      return
    }
  }

  #class(number: number): SizeClass {
    const there = this.#classes[number]
    if (there !== undefined) return there
    const made: SizeClass = {
      ...{ blockBytes: sizeOfClass(number), room: 0, used: 0 },
      ...{ withRoom: [], emptying: -1, emptyingAt: 0 },
    }
    this.#classes[number] = made
    return made
  }

  #addPage(number: number, sizeClass: SizeClass): number {
    const page = this.#newPage(sizeClass)
    const pageNumber = this.#number(page)
    page.sizeClass = number
    page.room = Math.floor(page.bytes.length / sizeClass.blockBytes)
    page.used = 0
    page.fresh = 0
    page.freed = NO_BLOCK
    page.place = sizeClass.withRoom.push(pageNumber) - 1
    sizeClass.room += page.room
    return pageNumber
  }

  /** Gives a page its number. */
  #number(page: Page): number {
    const pageNumber = this.#freePageNumbers.pop() ?? this.#pages.length
    assert(pageNumber < PAGES_MAX, 'a store holds at most 8 GB of keys and values')
    this.#pages[pageNumber] = page
    return pageNumber
  }

  #newPage({ blockBytes, room }: SizeClass): Page {
    const wanted = Math.max(PAGE_BYTES_MIN, BLOCKS_PER_PAGE_MIN * blockBytes, room * blockBytes)
    const size = 1 << (32 - Math.clz32(Math.min(wanted, PAGE_BYTES_MAX) - 1))
    const spare = size === PAGE_BYTES_MAX ? this.#spare.pop() : undefined
    if (spare !== undefined) return spare
    this.#pageBytes += size
    return newPage(size)
  }

  /** Less than half of the room used, and so much of it free that one page can be emptied into the others. */
  #isHalfEmpty({ room, used, withRoom }: SizeClass): boolean {
    if (used * 2 >= room || withRoom.length < 2) return false
    const page = this.#pages[withRoom[0] as number] as Page
    return room - used >= 2 * page.room
  }

  #removePage(pageNumber: number, page: Page, sizeClass: SizeClass): void {
    const last = sizeClass.withRoom.pop() as number
    if (last !== pageNumber) {
      sizeClass.withRoom[page.place] = last
      ;(this.#pages[last] as Page).place = page.place
    }
    sizeClass.room -= page.room
    if (sizeClass.emptying === pageNumber) sizeClass.emptying = -1
    this.#pages[pageNumber] = null
    this.#freePageNumbers.push(pageNumber)
    if (page.bytes.length === PAGE_BYTES_MAX && this.#spare.length < SPARE_PAGES_MAX) this.#spare.push(page)
    else {
      this.#pageBytes -= page.bytes.length
      lastingMemoryDropped(page.bytes.length)
    }
  }

  #allocateLarge(size: number): BlockAddress {
    const bytes = new Uint8Array(sizeOfClass(classOf(size)))
    const number = this.#freeLarge.pop() ?? this.#large.length
    this.#large[number] = bytes
    this.#largeBytes += bytes.length
    return LARGE + number
  }

  #freeLargeBlock(number: number): void {
    this.#largeBytes -= (this.#large[number] as Uint8Array).length
    this.#large[number] = NOTHING
    this.#freeLarge.push(number)
  }
}

function newPage(size: number): Page {
  const memory = lastingMemory(size)
  return makePage(new Uint8Array(memory), new Uint32Array(memory), null)
}

function makePage(bytes: Uint8Array, words: Uint32Array, region: Region | null): Page {
  return { bytes, region, words, sizeClass: 0, room: 0, used: 0, fresh: 0, freed: NO_BLOCK, place: -1 }
}

/** @returns the offset of a block that was free */
function takeBlock(page: Page, blockBytes: number): number {
  if (page.freed !== NO_BLOCK) {
    const offset = page.freed << 3
    page.freed = (page.words[offset >>> 2] as number) - FREE
    return offset
  }
  const offset = page.fresh
  page.fresh += blockBytes
  return offset
}

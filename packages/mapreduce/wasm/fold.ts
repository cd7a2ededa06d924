/**
 * Keys with one number each, folded as they come. AssemblyScript, built by build.mjs into src/kernels/fold-module.ts; the
 * reference is src/data/fold-table.ts, and tests compare the two.
 *
 * Keys come many at a time. Two loops: the first hashes them, the second looks them up, so that one key's way to the table
 * does not wait for another's.
 *
 *     memory = [keys][their ends][numbers][slots][found keys][long keys][table, then the order of pairs ...][pairs ...][a block]
 *     slot   = [bytes 0 to 7 u64][bytes 8 to 15 u64][number f64][length + 1 u32; 0 is free][hash u32]
 *     of a long key: [hash u32][place u32][bytes 0 to 7 u64] ...
 */
import {
  entriesAt,
  firstOf,
  gather,
  gathered,
  orderPairs,
  sortPairs,
  workBytes,
  writeLengths,
} from './pairs.ts'
import { claim } from './record-bytes.ts'

export { entriesAt, firstOf, gathered }

// Compiled as it stands, without a runtime: all memory below is ours.

/** Keys of a batch, at most, and their bytes. */
export const BATCH: u32 = 1 << 10
export const KEYS_BYTES: u32 = 1 << 16
const INLINE: u32 = 16
const SLACK: usize = 64

const KEYS: usize = 1 << 12
const ENDS: usize = KEYS + KEYS_BYTES + SLACK
const NUMBERS: usize = ENDS + ((<usize>BATCH) << 2)
const SLOTS: usize = NUMBERS + ((<usize>BATCH) << 3)
const FOUND: usize = SLOTS + ((<usize>BATCH) << 2)
const LONG: usize = FOUND + ((<usize>BATCH) << 5)

/** Lengths, sixteen bytes and a number. */
const PAIR_BYTES: usize = 2 + 16 + 9
/** As in src/data/spill-format.ts. */
const BLOCK_HEADER: usize = 20
const BLOCK_BYTES: u32 = 1 << 18

let longBytes: u32 = 0
let longUsed: u32 = 0
let log2Max: u32 = 0
let mask: u32 = 0
let taken: u32 = 0
let tableAt: usize = 0
let pairsAt: usize = 0
let pairsEnd: usize = 0
let outAt: usize = 0

/** Where the bytes of keys are to be put, one after the other. */
export function keys(): usize {
  return KEYS
}

/** Where it is to be said, for each key, how many bytes there are up to its end. */
export function ends(): usize {
  return ENDS
}

export function numbers(): usize {
  return NUMBERS
}

/** Where {@link find} leaves, for each key, twice the index of its number in the table, and one more when it is new. */
export function slots(): usize {
  return SLOTS
}

export function table(): usize {
  return tableAt
}

/** Keys in the table. */
export function size(): u32 {
  return taken
}

/** Where {@link block} leaves pairs, behind the room for their header. */
export function out(): usize {
  return outAt
}

/** Takes memory for at most 2^most slots, and begins with 2^first of them. */
export function init(first: u32, most: u32): void {
  log2Max = most
  longBytes = max<u32>(KEYS_BYTES << 1, (<u32>8) << most)
  tableAt = LONG + longBytes + SLACK
  const room = roomIn(most)
  pairsAt = tableAt + max((<usize>1) << (most + 5), workBytes(room))
  outAt = pairsAt + PAIR_BYTES * room + longBytes + SLACK
  claim(outAt + BLOCK_HEADER + BLOCK_BYTES + SLACK)
  clear(first)
}

/** Forgets all keys. */
export function clear(log2: u32): void {
  mask = (1 << log2) - 1
  taken = 0
  longUsed = 0
  memory.fill(tableAt, 0, (<usize>1) << (log2 + 5))
}

function roomIn(log2: u32): u32 {
  return ((1 << log2) >> 3) * 5
}

/** Makes room for so many keys of so many bytes; false when there is none to be had: then drain and clear. */
export function reserve(count: u32, bytes: u32): bool {
  if (longUsed + bytes > longBytes) return false
  let log2 = 32 - <u32>clz(mask)
  if (taken + count <= roomIn(log2)) return true
  if (log2 == log2Max) return false
  grow(log2 + 1)
  return true
}

/** The slots stand aside meanwhile, where pairs will. */
function grow(log2: u32): void {
  let aside = pairsAt
  for (let at = tableAt; at <= tableAt + ((<usize>mask) << 5); at += 32) {
    if (load<u32>(at, 24) == 0) continue
    memory.copy(aside, at, 32)
    aside += 32
  }
  mask = (1 << log2) - 1
  memory.fill(tableAt, 0, (<usize>1) << (log2 + 5))
  for (let at = pairsAt; at < aside; at += 32) {
    let slot = load<u32>(at, 28) & mask
    while (load<u32>(slotAt(slot), 24) != 0) slot = (slot + 1) & mask
    memory.copy(slotAt(slot), at, 32)
  }
}

function slotAt(slot: u32): usize {
  return tableAt + ((<usize>slot) << 5)
}

/** Adds the numbers of `count` keys to those in the table. */
export function addAll(count: u32): void {
  hashAll(count)
  for (let i: u32 = 0; i < count; i++) {
    const at = lookUp(FOUND + ((<usize>i) << 5))
    const number = load<f64>(NUMBERS + ((<usize>i) << 3))
    store<f64>(at, isNew ? number : load<f64>(at, 16) + number, 16)
  }
}

/** Says where the numbers of `count` keys are. */
export function find(count: u32): void {
  hashAll(count)
  for (let i: u32 = 0; i < count; i++) {
    const at = lookUp(FOUND + ((<usize>i) << 5))
    const index = <u32>((at - tableAt) >> 3) + 2
    store<u32>(SLOTS + ((<usize>i) << 2), (index << 1) | (isNew ? 1 : 0))
  }
}

let isNew: bool = false

/** found = [bytes 0 to 7, or hash][bytes 8 to 15, or 0 to 7][hash u32][length u32][start u32] */
function hashAll(count: u32): void {
  let start = KEYS
  for (let i: u32 = 0; i < count; i++) {
    const end = KEYS + load<u32>(ENDS + ((<usize>i) << 2))
    const length = <u32>(end - start)
    const found = FOUND + ((<usize>i) << 5)
    if (length <= INLINE) {
      const low = masked(load<u64>(start), length)
      const high = length > 8 ? masked(load<u64>(start, 8), length - 8) : 0
      store<u64>(found, low)
      store<u64>(found, high, 8)
      store<u32>(found, mixed(low ^ (high * 0xff51afd7ed558ccd)), 16)
    } else {
      const hash = longHash(start, length)
      store<u64>(found, <u64>hash)
      store<u64>(found, load<u64>(start), 8)
      store<u32>(found, hash, 16)
    }
    store<u32>(found, length, 20)
    store<u32>(found, <u32>start, 24)
    start = end
  }
}

function masked(bytes: u64, length: u32): u64 {
  return length >= 8 ? bytes : bytes & (((<u64>1) << (length << 3)) - 1)
}

function mixed(bytes: u64): u32 {
  const product = bytes * 0x9e3779b97f4a7c15
  return <u32>((product ^ (product >> 29)) >> 17)
}

function longHash(at: usize, length: u32): u32 {
  let hash: u64 = length
  let done: u32 = 0
  for (; done + 8 <= length; done += 8)
    hash = rotl<u64>((hash ^ load<u64>(at + done)) * 0x9e3779b97f4a7c15, 29)
  return mixed(hash ^ masked(load<u64>(at + done), length - done))
}

/** The slot of what {@link hashAll} found, taken when there is none. */
function lookUp(found: usize): usize {
  const low = load<u64>(found)
  const high = load<u64>(found, 8)
  const length = load<u32>(found, 20)
  let slot = load<u32>(found, 16) & mask
  let at = slotAt(slot)
  while (load<u32>(at, 24) != 0) {
    if (load<u32>(at, 24) == length + 1 && load<u64>(at, 8) == high)
      if (length <= INLINE ? load<u64>(at) == low : isLong(at, found)) {
        isNew = false
        return at
      }
    slot = (slot + 1) & mask
    at = slotAt(slot)
  }
  take(at, found)
  return at
}

function isLong(at: usize, found: usize): bool {
  if (load<u32>(at) != load<u32>(found)) return false
  return memory.compare(LONG + load<u32>(at, 4), load<u32>(found, 24), load<u32>(found, 20)) == 0
}

function take(at: usize, found: usize): void {
  const length = load<u32>(found, 20)
  store<u64>(at, load<u64>(found))
  store<u64>(at, load<u64>(found, 8), 8)
  store<u32>(at, length + 1, 24)
  store<u32>(at, load<u32>(found, 16), 28)
  if (length > INLINE) {
    store<u32>(at, longUsed, 4)
    memory.copy(LONG + longUsed, load<u32>(found, 24), length)
    longUsed += length
  }
  taken++
  isNew = true
}

/** Puts all keys as pairs one after the other, each with the partition of its hash. The table is used up. @returns how many */
export function drain(partitions: u32): u32 {
  let to = pairsAt
  for (let at = tableAt; at <= tableAt + ((<usize>mask) << 5); at += 32) {
    const length = load<u32>(at, 24) - 1
    if (length == <u32>-1) continue
    const number = load<f64>(at, 16)
    to = writeLengths(to, length, valueBytes(number))
    if (length <= INLINE) {
      store<u64>(to, load<u64>(at))
      store<u64>(to, load<u64>(at, 8), 8)
    } else memory.copy(to, LONG + load<u32>(at, 4), length)
    to = writeValue(to + length, number)
  }
  pairsEnd = to
  return orderPairs(pairsAt, pairsEnd, tableAt, taken, partitions)
}

/** Where {@link drain} leaves pairs. */
export function pairs(): usize {
  return pairsAt
}

/** Sorts what was drained. */
export function sort(): void {
  sortPairs()
}

/** Puts the pairs with numbers [from, to) at {@link out}, as many as make a block. @returns up to which */
export function block(from: u32, to: u32): u32 {
  return gather(from, to, outAt + BLOCK_HEADER, BLOCK_BYTES)
}

/** Numbers are written as src/data/values.ts does. */
function valueBytes(number: f64): u32 {
  if (!isWhole(number)) return 9
  return number <= SMALL_MAX ? 1 : 5
}

function writeValue(at: usize, number: f64): usize {
  if (!isWhole(number)) {
    store<u8>(at, TAG_DOUBLE)
    store<f64>(at, number, 1)
    return at + 9
  }
  if (number <= SMALL_MAX) {
    store<u8>(at, <u8>number)
    return at + 1
  }
  store<u8>(at, TAG_U32)
  store<u32>(at, <u32>number, 1)
  return at + 5
}

/** An integer of 32 bits, and not -0. */
function isWhole(number: f64): bool {
  return (
    number >= 0 &&
    number <= 4294967295 &&
    <f64>(<u32>number) == number &&
    reinterpret<u64>(number) != 0x8000000000000000
  )
}

const SMALL_MAX: f64 = 0xef
const TAG_U32: u8 = 0xfc
const TAG_DOUBLE: u8 = 0xfd

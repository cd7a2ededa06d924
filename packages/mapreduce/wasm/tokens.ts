/**
 * Counts words: maximal runs of ASCII letters. AssemblyScript, built by build.mjs into src/kernels/tokens-module.ts; the
 * plain JavaScript beside that file is the reference, and tests compare the two.
 *
 * Input is read straight into this memory and only distinct words leave it, as blocks of sorted pairs. Two loops: the first finds words, the second
 * counts them, so that a word which the processor guessed wrong does not throw away the table lines it has begun to load.
 *
 *     memory = [input][found words][long words: slots, letters][table, then the order of pairs ...][pairs ...][a block]
 *     slot   = [letters 0 to 7: u64][letters 8 to 11: u32][count u32; 0 is free]
 */

import { firstOf, gather, gathered, orderPairs, sortPairs, workBytes, writeLengths } from './pairs.ts'
import { claim } from './record-bytes.ts'

export { firstOf, gathered }

// Compiled as it stands, without a runtime: all memory below is ours.

const INPUT: usize = 1 << 12
export const INPUT_BYTES: u32 = 1 << 18
/** Loads may go past the input by less than this. */
const SLACK: usize = 64
const FOUND: usize = INPUT + INPUT_BYTES + SLACK
/** Words of one round: 16 bytes each. */
const FOUND_MAX: u32 = 1 << 12
const LONG_SLOTS: usize = FOUND + ((<usize>FOUND_MAX) << 4) + 256
const LONG_COUNT: u32 = 1 << 14
const LONG_LETTERS: usize = LONG_SLOTS + ((<usize>LONG_COUNT) << 4)
/** Full at half of them, so that there is room for a word as long as the input, and for those of a block. */
const LONG_BYTES: u32 = (2 << 20) + (1 << 12)
const TABLE: usize = LONG_LETTERS + LONG_BYTES
/** Lengths, twelve letters and a count; of a long word without its letters. */
const PAIR_BYTES: usize = 2 + 12 + 5
const LONG_PAIR_BYTES: usize = 4 + 1 + 5
/** As in src/data/spill-format.ts. */
const BLOCK_HEADER: usize = 20
const BLOCK_BYTES: u32 = 1 << 18

const INLINE: u32 = 12

let slotsLog2: u32 = 0
let slotsMask: u32 = 0
let slotsMax: u32 = 0
let taken: u32 = 0
let longTaken: u32 = 0
let longUsed: u32 = 0
let pairsAt: usize = 0
let pairsEnd: usize = 0
let outAt: usize = 0

/** Where the input is to be put. */
export function input(): usize {
  return INPUT
}

/** Where {@link drain} leaves pairs. */
export function pairs(): usize {
  return pairsAt
}

/** Where {@link block} leaves pairs, behind the room for their header. */
export function out(): usize {
  return outAt
}

/** Takes memory for 2^log2 slots. */
export function init(log2: u32): void {
  slotsLog2 = log2
  slotsMask = (1 << log2) - 1
  slotsMax = ((1 << log2) >> 3) * 5
  const table = (<usize>1) << (log2 + 4)
  const order = workBytes(slotsMax + LONG_COUNT)
  pairsAt = TABLE + max(table, order)
  outAt = pairsAt + PAIR_BYTES * slotsMax + LONG_PAIR_BYTES * LONG_COUNT + LONG_BYTES + SLACK
  // A block holds at least one pair, however long.
  claim(outAt + BLOCK_HEADER + max(BLOCK_BYTES, INPUT_BYTES) + PAIR_BYTES + SLACK)
  reset()
}

/** Forgets all words. */
export function reset(): void {
  memory.fill(TABLE, 0, (<usize>1) << (slotsLog2 + 4))
  memory.fill(LONG_SLOTS, 0, (<usize>LONG_COUNT) << 4)
  taken = 0
  longTaken = 0
  longUsed = 0
}

/** No room for the words of another round: drain, reset, go on. */
export function isFull(): bool {
  return taken + FOUND_MAX > slotsMax || isLongFull()
}

function isLongFull(): bool {
  return longTaken > LONG_COUNT >> 1 || longUsed > LONG_BYTES >> 1
}

/**
 * Counts the words of the input's bytes [from, to) and says up to where: to a word that goes on to `to`, unless nothing
 * follows; or to where the table was full.
 */
export function count(from: u32, to: u32, isLast: bool): u32 {
  let at = from
  while (at < to) {
    if (isFull()) return at
    const next = round(at, to, isLast)
    if (next == at) return at
    at = next
  }
  return at
}

function round(from: u32, to: u32, isLast: bool): u32 {
  let found: u32 = 0
  let start: i32 = -1
  let block = from
  let consumed = from
  while (block < to && found <= FOUND_MAX - 64 && !isLongFull()) {
    let mask = letters(INPUT + block)
    const size = to - block
    if (size < 64) mask &= ((<u64>1) << size) - 1
    // A word from before that ends at or before this block, or goes through it.
    if (start >= 0) {
      const end = <u32>ctz(~mask)
      if (end == 64) {
        block += 64
        continue
      }
      if (block + end < to || isLast) {
        found = keep(found, <u32>start, block + end)
        start = -1
        mask &= end == 0 ? ~(<u64>0) : ~(((<u64>1) << end) - 1)
      } else return finish(found, <u32>start)
    }
    while (mask != 0) {
      const begin = <u32>ctz(mask)
      const rest = ~(mask >> begin)
      const length = <u32>ctz(rest)
      if (begin + length >= 64) {
        start = <i32>(block + begin)
        break
      }
      if (block + begin + length >= to && !isLast) return finish(found, block + begin)
      found = keep(found, block + begin, block + begin + length)
      mask = (mask >> (begin + length)) << (begin + length)
    }
    block += 64
    consumed = block
  }
  if (start >= 0) {
    if (block >= to && isLast) {
      found = keep(found, <u32>start, to)
      consumed = to
    } else consumed = <u32>start
  } else if (consumed > to) consumed = to
  return finish(found, consumed)
}

/** A bit for each of 64 bytes: is it a letter? */
function letters(at: usize): u64 {
  return letters16(at) | (letters16(at + 16) << 16) | (letters16(at + 32) << 32) | (letters16(at + 48) << 48)
}

function letters16(at: usize): u64 {
  const lower = v128.or(v128.load(at), i8x16.splat(0x20))
  return <u64>(<u32>i8x16.bitmask(i8x16.lt_u(i8x16.sub(lower, i8x16.splat(97)), i8x16.splat(26))))
}

/** Notes a short word for the second loop; counts a long one at once. */
function keep(found: u32, start: u32, end: u32): u32 {
  const length = end - start
  const at = INPUT + start
  if (length > INLINE) {
    countLong(at, length)
    return found
  }
  let low = load<u64>(at)
  let high: u32 = 0
  if (length < 8) low &= ((<u64>1) << (length << 3)) - 1
  else if (length > 8) high = load<u32>(at + 8) & ((<u32>0xffffffff) >> ((INLINE - length) << 3))
  const to = FOUND + ((<usize>found) << 4)
  store<u64>(to, low)
  store<u32>(to, high, 8)
  store<u32>(to, hashOf(low, high), 12)
  return found + 1
}

function hashOf(low: u64, high: u32): u32 {
  const mixed = (low ^ (<u64>high * 0xff51afd7ed558ccd)) * 0x9e3779b97f4a7c15
  return (<u32>((mixed ^ (mixed >> 29)) >> 17)) & slotsMask
}

/** The second loop. */
function finish(found: u32, consumed: u32): u32 {
  const end = FOUND + ((<usize>found) << 4)
  for (let word: usize = FOUND; word < end; word += 16) {
    const low = load<u64>(word)
    const high = load<u32>(word, 8)
    let slot = load<u32>(word, 12)
    for (;;) {
      const at = TABLE + ((<usize>slot) << 4)
      const counted = load<u32>(at, 12)
      if (load<u64>(at) == low && load<u32>(at, 8) == high) {
        store<u32>(at, counted + 1, 12)
        if (counted == 0) taken++
        break
      }
      if (counted == 0) {
        store<u64>(at, low)
        store<u32>(at, high, 8)
        store<u32>(at, 1, 12)
        taken++
        break
      }
      slot = (slot + 1) & slotsMask
    }
  }
  return consumed
}

/** slot = [hash u32][place u32][length u32][count u32] */
function countLong(at: usize, length: u32): void {
  let hash: u32 = 0x811c9dc5
  for (let i: u32 = 0; i < length; i++) hash = (hash ^ load<u8>(at + i)) * 0x01000193
  let slot = (hash ^ (hash >> 15)) & (LONG_COUNT - 1)
  for (;;) {
    const to = LONG_SLOTS + ((<usize>slot) << 4)
    const counted = load<u32>(to, 12)
    if (counted == 0) break
    if (
      load<u32>(to) == hash &&
      load<u32>(to, 8) == length &&
      memory.compare(LONG_LETTERS + load<u32>(to, 4), at, length) == 0
    ) {
      store<u32>(to, counted + 1, 12)
      return
    }
    slot = (slot + 1) & (LONG_COUNT - 1)
  }
  const to = LONG_SLOTS + ((<usize>slot) << 4)
  store<u32>(to, hash)
  store<u32>(to, longUsed, 4)
  store<u32>(to, length, 8)
  store<u32>(to, 1, 12)
  memory.copy(LONG_LETTERS + longUsed, at, length)
  longUsed += length
  longTaken++
}

/** Puts all counted words as pairs one after the other. @returns how many bytes they are, from {@link pairs} on */
export function drain(): u32 {
  let to = pairsAt
  for (let at = TABLE; at < TABLE + ((<usize>slotsMask + 1) << 4); at += 16) {
    const counted = load<u32>(at, 12)
    if (counted == 0) continue
    const low = load<u64>(at)
    const high = load<u32>(at, 8)
    const length = high == 0 ? 8 - <u32>(clz(low) >> 3) : 12 - <u32>(clz(high) >> 3)
    to = writeLengths(to, length, counted <= SMALL_MAX ? 1 : 5)
    store<u64>(to, low)
    store<u32>(to, high, 8)
    to = value(to + length, counted)
  }
  for (let at = LONG_SLOTS; at < LONG_LETTERS; at += 16) {
    const counted = load<u32>(at, 12)
    if (counted == 0) continue
    const length = load<u32>(at, 8)
    to = writeLengths(to, length, counted <= SMALL_MAX ? 1 : 5)
    memory.copy(to, LONG_LETTERS + load<u32>(at, 4), length)
    to = value(to + length, counted)
  }
  pairsEnd = to
  return <u32>(to - pairsAt)
}

/** Sorts what was drained, by partition and word; {@link firstOf} then says where a partition begins. The table is used up. */
export function sort(partitions: u32): void {
  orderPairs(pairsAt, pairsEnd, TABLE, taken + longTaken, partitions)
  sortPairs()
}

/** A number, as in src/data/values.ts. */
function value(at: usize, counted: u32): usize {
  if (counted <= SMALL_MAX) {
    store<u8>(at, <u8>counted)
    return at + 1
  }
  store<u8>(at, TAG_U32)
  store<u32>(at, counted, 1)
  return at + 5
}

/** Puts the pairs with numbers [from, to) at {@link out}, as many as make a block. @returns up to which */
export function block(from: u32, to: u32): u32 {
  return gather(from, to, outAt + BLOCK_HEADER, BLOCK_BYTES)
}

const SMALL_MAX: u32 = 0xef
const TAG_U32: u8 = 0xfc

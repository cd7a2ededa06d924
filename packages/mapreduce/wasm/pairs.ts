/**
 * Pairs as they stand in spills (src/data/pairs.ts), dealt out to partitions and sorted by key: what src/data/sort.ts does,
 * which is the reference. Entries move, pairs do not until they are gathered.
 *
 *     entry = [first 8 bytes of the key, as a number: u64][place of the pair u32][partition u32]
 */
import { copyRecord } from './record-bytes.ts'

const ENTRY_LOG2: usize = 4
const DIGIT_BITS: u64 = 11
const DIGITS: u32 = 1 << 11
/** 64 bits of the key, 22 of the partition. */
const KEY_PASSES: u32 = 6
const PASSES: u32 = 8
const COUNTERS_BYTES: usize = (<usize>DIGITS * PASSES) << 2

let pairsAt: usize = 0
let counters: usize = 0
let entries: usize = 0
let other: usize = 0
let pairCount: u32 = 0
let keyAt: usize = 0
let keyLength: u32 = 0
let pairEnd: usize = 0
let gatheredBytes: u32 = 0

/** Memory that {@link orderPairs} takes for so many pairs. */
export function workBytes(count: u32): usize {
  return COUNTERS_BYTES + ((<usize>count) << (ENTRY_LOG2 + 1))
}

/** Makes an entry for each of the pairs from `start` to `end`, with the partition of the key's hash. @returns how many */
export function orderPairs(start: usize, end: usize, work: usize, most: u32, partitions: u32): u32 {
  pairsAt = start
  counters = work
  entries = work + COUNTERS_BYTES
  other = entries + ((<usize>most) << ENTRY_LOG2)
  let entry = entries
  for (let at = start; at < end; at = pairEnd) {
    look(at)
    store<u64>(entry, headOf(keyAt, keyLength))
    store<u32>(entry, <u32>(at - start), 8)
    store<u32>(entry, partitions == 1 ? 0 : hashOf(keyAt, keyLength) % partitions, 12)
    entry += 16
  }
  pairCount = <u32>((entry - entries) >> ENTRY_LOG2)
  return pairCount
}

/** Where the entries are, before {@link sortPairs}. */
export function entriesAt(): usize {
  return entries
}

/** Sorts the entries by partition and key. */
export function sortPairs(): void {
  tally()
  const bytes = (<usize>pairCount) << ENTRY_LOG2
  for (let pass: u32 = 0; pass < PASSES; pass++) {
    const places = counters + ((<usize>(pass * DIGITS)) << 2)
    if (!accumulate(places)) continue
    for (let at = entries; at < entries + bytes; at += 16) {
      const place = places + ((<usize>digit(at, pass)) << 2)
      const to = load<u32>(place)
      store<u32>(place, to + 1)
      v128.store(other + ((<usize>to) << ENTRY_LOG2), v128.load(at))
    }
    const swap = entries
    entries = other
    other = swap
  }
  sortTies()
}

function tally(): void {
  memory.fill(counters, 0, COUNTERS_BYTES)
  for (let at = entries; at < entries + ((<usize>pairCount) << ENTRY_LOG2); at += 16)
    for (let pass: u32 = 0; pass < PASSES; pass++) {
      const counter = counters + ((<usize>(pass * DIGITS + digit(at, pass))) << 2)
      store<u32>(counter, load<u32>(counter) + 1)
    }
}

function digit(entry: usize, pass: u32): u32 {
  if (pass < KEY_PASSES) return (<u32>(load<u64>(entry) >> (<u64>pass * DIGIT_BITS))) & (DIGITS - 1)
  return (load<u32>(entry, 12) >> (<u32>DIGIT_BITS * (pass - KEY_PASSES))) & (DIGITS - 1)
}

/** Counts become places; false when all have the same digit. */
function accumulate(places: usize): bool {
  let sum: u32 = 0
  for (let at = places; at < places + ((<usize>DIGITS) << 2); at += 4) {
    const here = load<u32>(at)
    if (here == pairCount) return false
    store<u32>(at, sum)
    sum += here
  }
  return true
}

/** Runs of entries whose heads are equal. */
function sortTies(): void {
  let from: u32 = 0
  while (from < pairCount) {
    const first = entryOf(from)
    let to = from + 1
    while (
      to < pairCount &&
      load<u64>(entryOf(to)) == load<u64>(first) &&
      load<u32>(entryOf(to), 12) == load<u32>(first, 12)
    )
      to++
    if (to - from > 1) shellSort(from, to)
    from = to
  }
}

/** No run is so long that this is slow: not even with all keys in it. */
function shellSort(from: u32, to: u32): void {
  let gap: u32 = 1
  while (gap < (to - from) / 3) gap = 3 * gap + 1
  for (; gap > 0; gap /= 3)
    for (let i = from + gap; i < to; i++) {
      const entry = v128.load(entryOf(i))
      const pair = pairsAt + load<u32>(entryOf(i), 8)
      let place = i
      for (; place >= from + gap; place -= gap) {
        const before = entryOf(place - gap)
        if (!isBehind(pairsAt + load<u32>(before, 8), pair)) break
        v128.store(entryOf(place), v128.load(before))
      }
      v128.store(entryOf(place), entry)
    }
}

/** Is the first pair's key behind the second's, of two whose heads are equal? Then the shorter one begins the other, or both go on. */
function isBehind(a: usize, b: usize): bool {
  look(a)
  const mine = keyAt
  const length = keyLength
  look(b)
  for (let at: u32 = 8; at < min(length, keyLength); at++) {
    const difference = <i32>load<u8>(mine + at) - <i32>load<u8>(keyAt + at)
    if (difference != 0) return difference > 0
  }
  return length > keyLength
}

/** The number of the first entry of a partition. */
export function firstOf(partition: u32): u32 {
  let low: u32 = 0
  let high = pairCount
  while (low < high) {
    const middle = (low + high) >> 1
    if (load<u32>(entryOf(middle), 12) < partition) low = middle + 1
    else high = middle
  }
  return low
}

/** Puts the pairs of entries [from, to) one after the other, as long as there is room; one at least. @returns up to where */
export function gather(from: u32, to: u32, out: usize, room: u32): u32 {
  let write = out
  let i = from
  for (; i < to; i++) {
    const pair = pairsAt + load<u32>(entryOf(i), 8)
    look(pair)
    const length = <u32>(pairEnd - pair)
    if (write > out && write + length > out + room) break
    copyRecord(write, pair, length)
    write += length
  }
  gatheredBytes = <u32>(write - out)
  return i
}

/** How many bytes {@link gather} has put. */
export function gathered(): u32 {
  return gatheredBytes
}

function entryOf(i: u32): usize {
  return entries + ((<usize>i) << ENTRY_LOG2)
}

function look(pair: usize): void {
  let at = pair
  keyLength = load<u8>(at++)
  if (keyLength >= 0x80) {
    let shift: u32 = 7
    keyLength &= 0x7f
    for (;;) {
      const byte: u32 = load<u8>(at++)
      keyLength |= (byte & 0x7f) << shift
      if (byte < 0x80) break
      shift += 7
    }
  }
  // Values are numbers here, and short.
  keyAt = at + 1
  pairEnd = keyAt + keyLength + load<u8>(at)
}

function headOf(at: usize, length: u32): u64 {
  const head = bswap<u64>(load<u64>(at))
  if (length >= 8) return head
  return length == 0 ? 0 : head & (~(<u64>0) << ((8 - length) << 3))
}

/** As src/data/hash.ts, which says what it must be. */
export function hashOf(at: usize, length: u32): u32 {
  let hash = mix(mix(0, wordAt(at, 0, length)), wordAt(at, 4, length))
  for (let done: u32 = 8; done < length; done += 4) hash = mix(hash, wordAt(at, done, length))
  hash ^= length
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35
  return hash ^ (hash >> 16)
}

function wordAt(at: usize, done: u32, length: u32): u32 {
  if (done >= length) return 0
  const word = load<u32>(at + done)
  const left = length - done
  return left >= 4 ? word : word & ((1 << (left << 3)) - 1)
}

function mix(hash: u32, word: u32): u32 {
  return rotl<u32>(hash ^ (rotl<u32>(word * 0xcc9e2d51, 15) * 0x1b873593), 13) * 5 + 0xe6546b64
}

/** Writes the lengths of a key and a value. @returns where the key is to begin */
export function writeLengths(at: usize, length: u32, valueLength: u32): usize {
  let left = length
  while (left >= 0x80) {
    store<u8>(at++, <u8>((left & 0x7f) | 0x80))
    left >>= 7
  }
  store<u8>(at++, <u8>left)
  store<u8>(at++, <u8>valueLength)
  return at
}

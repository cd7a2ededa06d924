/**
 * Sorts records of one width by all their bytes; merge.ts merges sorted runs of them. AssemblyScript, built by build.mjs into
 * src/kernels/records-module.ts; the plain JavaScript of src/data is the reference, and tests compare the two.
 *
 * Sorting moves 64-bit entries, never records: five bytes of the record, from the depth up to which it is known to be equal
 * to its neighbours, above the record's place. Records that tie are sorted again, five bytes deeper.
 *
 *     memory = [histograms][buckets of records ...][entries ...][entries, the other half of each pass ...][a block on its way out]
 */

import {
  alikeAtEnd,
  bucketCount,
  empty,
  layoutBuckets,
  places,
  placesOf,
  records,
  scatter,
  window,
} from './buckets.ts'
import { aligned, BASE, claim, copyRecord, isBefore, sameAtBeginning, SLACK } from './record-bytes.ts'

// Exported from where they stand, they would be those of another instance.
export { places, records, scatter, window }
export { blockOf, feed, layoutMerge, merge, mergedAt, packed, take, unpack } from './merge.ts'

// Compiled as it stands, without a runtime: all memory below is ours.

const PLACE_BITS: u64 = 24
const PLACE_MASK: u64 = (1 << 24) - 1
/** Bytes of a record in an entry. */
const STEP: u32 = 5
const DIGIT_BITS: u32 = 10
const DIGITS: u32 = 1 << 10
const PASSES: u32 = 4
/** As src/data/packed-pairs.ts has them. */
const PACKED_HEADER: u32 = 12
/** Shorter runs of ties are sorted by insertion. */
const SHORT_RUN: u32 = 24

let width: u32 = 0
let recordsAt: usize = 0
let entriesAt: usize = 0
let otherAt: usize = 0
let outAt: usize = 0
let sorted: u32 = 0
let nextBucket: u32 = 0

/** Gets ready to sort up to `capacity` records, which come by up to `windowRecords`, and to hand out blocks of up to `outBytes`. */
export function layoutSort(recordWidth: u32, capacity: u32, windowRecords: u32, outBytes: u32): void {
  width = recordWidth
  const histograms = BASE + ((<usize>DIGITS * PASSES) << 2)
  entriesAt = aligned(layoutBuckets(histograms, width, capacity, windowRecords))
  recordsAt = records()
  otherAt = entriesAt + ((<usize>capacity) << 3)
  outAt = aligned(otherAt + ((<usize>capacity) << 3))
  claim(outAt + outBytes + SLACK)
  clear()
}

/** After {@link sortNext}: 64 bits for each record, in order. The lower 24 are the record's place. */
export function entries(): usize {
  return entriesAt
}

/** As many bytes as there are of entries, free between calls. */
export function spare(): usize {
  return otherAt
}

/** Where {@link gather} leaves pairs. */
export function out(): usize {
  return outAt
}

/**
 * Sorts the next bucket of what was scattered, for it to be gathered while it is near.
 *
 * @returns how many records are in order now: all of them when it is no more than before
 */
export function sortNext(): u32 {
  let before = sorted
  while (sorted == before && nextBucket < bucketCount()) {
    const count = placesOf(nextBucket++, entriesAt + ((<usize>sorted) << 3))
    sortRange(sorted, count, 0)
    sorted += count
  }
  return sorted
}

/** Forgets all records. */
export function clear(): void {
  empty()
  sorted = 0
  nextBucket = 0
}

function place(i: u32): u64 {
  return load<u64>(entriesAt + ((<usize>i) << 3)) & PLACE_MASK
}

function recordOf(number: u64): usize {
  return recordsAt + <usize>number * width
}

/** Sorts entries whose records are equal in their first `depth` bytes. */
function sortRange(from: u32, count: u32, depth: u32): void {
  if (count <= SHORT_RUN) {
    insert(from, count, depth)
    return
  }
  const equal = commonPrefix(from, count, depth)
  if (equal == width) return
  pack(from, count, equal)
  radix(from, count)
  const next = equal + STEP
  if (next >= width) return
  let start = from
  const end = from + count
  while (start < end) {
    const key = load<u64>(entriesAt + ((<usize>start) << 3)) >> PLACE_BITS
    let to = start + 1
    while (to < end && load<u64>(entriesAt + ((<usize>to) << 3)) >> PLACE_BITS == key) to++
    if (to - start > 1) sortRange(start, to - start, next)
    start = to
  }
}

/** How many bytes all have in common: each step then tells some of them apart, however long they are. */
function commonPrefix(from: u32, count: u32, depth: u32): u32 {
  const first = recordOf(place(from))
  let common = width
  for (let i: u32 = 1; i < count && common > depth; i++) {
    const record = recordOf(place(from + i))
    let same = depth
    while (same < common && load<u8>(first + same) == load<u8>(record + same)) same++
    common = same
  }
  return common
}

function pack(from: u32, count: u32, depth: u32): void {
  const left = width - depth
  const mask: u64 = left >= STEP ? ~(<u64>0) : ~(<u64>0) << ((STEP - left) << 3)
  for (let i: u32 = 0; i < count; i++) {
    const at = entriesAt + ((<usize>(from + i)) << 3)
    const number = load<u64>(at) & PLACE_MASK
    const five = bswap<u64>(load<u64>(recordOf(number) + depth)) >> 24
    store<u64>(at, ((five & mask) << PLACE_BITS) | number)
  }
}

/** From the least digit to the greatest; digits that all have in common are passed over. */
function radix(from: u32, count: u32): void {
  memory.fill(BASE, 0, (<usize>DIGITS * PASSES) << 2)
  let source = entriesAt + ((<usize>from) << 3)
  let target = otherAt + ((<usize>from) << 3)
  const bytes = (<usize>count) << 3
  for (let at = source; at < source + bytes; at += 8) {
    let key = load<u64>(at) >> PLACE_BITS
    for (let pass: u32 = 0; pass < PASSES; pass++) {
      const counter = BASE + ((<usize>(pass * DIGITS + ((<u32>key) & (DIGITS - 1)))) << 2)
      store<u32>(counter, load<u32>(counter) + 1)
      key >>= DIGIT_BITS
    }
  }
  for (let pass: u32 = 0; pass < PASSES; pass++) {
    const counters = BASE + ((<usize>(pass * DIGITS)) << 2)
    const shift = PLACE_BITS + pass * DIGIT_BITS
    if (!accumulate(counters, count)) continue
    for (let at = source; at < source + bytes; at += 8) {
      const entry = load<u64>(at)
      const counter = counters + ((<usize>((entry >> shift) & (DIGITS - 1))) << 2)
      const to = load<u32>(counter)
      store<u32>(counter, to + 1)
      store<u64>(target + ((<usize>to) << 3), entry)
    }
    const swap = source
    source = target
    target = swap
  }
  const home = entriesAt + ((<usize>from) << 3)
  if (source != home) memory.copy(home, source, bytes)
}

/** Counts become places; false when all have the same digit. */
function accumulate(counters: usize, count: u32): bool {
  let sum: u32 = 0
  for (let at = counters; at < counters + ((<usize>DIGITS) << 2); at += 4) {
    const here = load<u32>(at)
    if (here == count) return false
    store<u32>(at, sum)
    sum += here
  }
  return true
}

function insert(from: u32, count: u32, depth: u32): void {
  const start = entriesAt + ((<usize>from) << 3)
  for (let i: u32 = 1; i < count; i++) {
    const entry = load<u64>(start + ((<usize>i) << 3))
    const record = recordOf(entry & PLACE_MASK)
    let to = i
    for (; to > 0; to--) {
      const other = load<u64>(start + ((<usize>(to - 1)) << 3))
      if (!isBefore(record, recordOf(other & PLACE_MASK), depth, width)) break
      store<u64>(start + ((<usize>to) << 3), other)
    }
    store<u64>(start + ((<usize>to) << 3), entry)
  }
}

/**
 * Leaves the records of entries [from, to) as pairs, each behind `headerBytes` that begin with those of `header`: packed, where
 * that makes them fewer bytes.
 *
 * @returns how many bytes
 */
export function gather(from: u32, to: u32, headerBytes: u32, header: u32, at: u32): u32 {
  const first = recordOf(place(from))
  // They are in order: what first and last begin with, all do.
  const before = sameAtBeginning(first, recordOf(place(to - 1)), width)
  const after = min(alikeAtEnd(), width - before)
  const between = width - before - after
  const bytes = PACKED_HEADER + headerBytes + width + (to - from) * between
  const start = outAt + at
  let write = start
  if (bytes >= (to - from) * (headerBytes + width)) {
    for (let i = from; i < to; i++) write = pair(write, recordOf(place(i)), headerBytes, header)
    return <u32>(write - start)
  }
  store<u32>(write, headerBytes + width)
  store<u32>(write, headerBytes + before, 4)
  store<u32>(write, after, 8)
  write = pair(write + PACKED_HEADER, first, headerBytes, header)
  for (let i = from; i < to; i++) {
    copyRecord(write, recordOf(place(i)) + before, between)
    write += between
  }
  return bytes
}

function pair(to: usize, record: usize, headerBytes: u32, header: u32): usize {
  store<u32>(to, header)
  copyRecord(to + headerBytes, record, width)
  return to + headerBytes + width
}

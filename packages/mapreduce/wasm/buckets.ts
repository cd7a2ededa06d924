/**
 * Deals records out to buckets as they come, by two bytes of theirs: all of one bucket come before all of the next, and stand
 * near to each other. What then sorts and gathers a bucket stays within the processor's cache, however many records there are.
 *
 *     memory = [bucket of each two bytes][buckets][what block follows each][a record][window] ... [blocks of records]
 */
import { aligned, copyExactly, isBefore, sameAtBeginning, sameAtEnd, SLACK } from './record-bytes.ts'

/** More buckets are more places to write to by turns, which costs more than it gains. */
const BUCKET_BYTES: u32 = 1 << 19
const BUCKETS_MAX: u32 = 64
const BLOCK_RECORDS_MAX: u32 = 32
/** So many tell how often two bytes occur. */
const SAMPLES: u32 = 1 << 12
const TABLE_BYTES: usize = (1 << 16) * 2
/** bucket = [first block u32][place of the next record u32][behind its block u32][blocks u32] */
const BUCKET: usize = 16

let width: u32 = 0
let buckets: u32 = 0
let blockRecords: u32 = 0
let blocks: u32 = 0
let blocksUsed: u32 = 0
/** Bytes that the first records have in common; those that differ there are in the first bucket or the last. */
let depth: u32 = 0
/** Bytes that all records have in common at their end. */
let alike: u32 = 0
let isPlanned: bool = false
let tableAt: usize = 0
let bucketsAt: usize = 0
let followersAt: usize = 0
let commonAt: usize = 0
let windowAt: usize = 0
let recordsAt: usize = 0

/** Room for up to `capacity` records, which come by up to `windowRecords`, once it is {@link empty}. @returns behind its memory, which begins at `at` */
export function layoutBuckets(at: usize, recordWidth: u32, capacity: u32, windowRecords: u32): usize {
  width = recordWidth
  buckets = <u32>min<u64>(BUCKETS_MAX, max<u64>(1, (<u64>capacity * width) / BUCKET_BYTES))
  if (width < 2) buckets = 1
  blockRecords = min(BLOCK_RECORDS_MAX, capacity)
  blocks = capacity / blockRecords + buckets
  tableAt = at
  bucketsAt = tableAt + TABLE_BYTES
  followersAt = bucketsAt + <usize>buckets * BUCKET
  commonAt = followersAt + ((<usize>blocks) << 2)
  windowAt = aligned(commonAt + width)
  recordsAt = aligned(windowAt + <usize>windowRecords * width + SLACK)
  return recordsAt + <usize>blocks * blockRecords * width + SLACK
}

/** Where the records are to be put that {@link scatter} takes. */
export function window(): usize {
  return windowAt
}

/** Where records are: each at its place. */
export function records(): usize {
  return recordsAt
}

/** One more than the greatest place. */
export function places(): u32 {
  return blocks * blockRecords
}

/** How many bytes all records have in common at their end. */
export function alikeAtEnd(): u32 {
  return alike
}

export function bucketCount(): u32 {
  return buckets
}

/** Forgets all records. */
export function empty(): void {
  blocksUsed = 0
  isPlanned = false
  memory.fill(bucketsAt, 0, <usize>buckets * BUCKET)
}

/** Takes so many records of the window. */
export function scatter(count: u32): void {
  if (!isPlanned) plan(count)
  for (let i: u32 = 0; i < count; i++) {
    const record = windowAt + <usize>i * width
    if (alike > 0) alike = sameAtEnd(commonAt, record, width, alike)
    const bucket = bucketsAt + <usize>bucketOf(record) * BUCKET
    let place = load<u32>(bucket, 4)
    if (place == load<u32>(bucket, 8)) place = grow(bucket)
    store<u32>(bucket, place + 1, 4)
    copyExactly(recordsAt + <usize>place * width, record, width)
  }
}

/** Leaves the places of a bucket's records at `to`, 64 bits for each. @returns how many */
export function placesOf(bucket: u32, to: usize): u32 {
  const its = bucketsAt + <usize>bucket * BUCKET
  const count = load<u32>(its, 12)
  const last = load<u32>(its, 4)
  let block = load<u32>(its)
  let written: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const first = block * blockRecords
    const end = i + 1 == count ? last : first + blockRecords
    for (let place = first; place < end; place++) {
      store<u64>(to + ((<usize>written) << 3), place)
      written++
    }
    block = load<u32>(followersAt + ((<usize>block) << 2))
  }
  return written
}

/** Gives the bucket another block. @returns its first place */
function grow(bucket: usize): u32 {
  const block = blocksUsed++
  const before = load<u32>(bucket, 12)
  if (before == 0) store<u32>(bucket, block)
  else store<u32>(followersAt + ((<usize>(load<u32>(bucket, 8) / blockRecords - 1)) << 2), block)
  store<u32>(bucket, before + 1, 12)
  store<u32>(bucket, (block + 1) * blockRecords, 8)
  return block * blockRecords
}

function bucketOf(record: usize): u32 {
  if (buckets == 1) return 0
  if (depth > 0) {
    if (isBefore(record, commonAt, 0, depth)) return 0
    if (isBefore(commonAt, record, 0, depth)) return buckets - 1
  }
  return load<u16>(tableAt + ((<usize>twoBytes(record)) << 1))
}

function twoBytes(record: usize): u32 {
  return ((<u32>load<u8>(record + depth)) << 8) | load<u8>(record + depth + 1)
}

/** Cuts the two bytes into ranges that are as often among the first records. */
function plan(count: u32): void {
  isPlanned = true
  alike = width
  copyExactly(commonAt, windowAt, width)
  if (buckets == 1 || count == 0) return
  depth = min(common(count), width - 2)
  memory.fill(tableAt, 0, TABLE_BYTES)
  const step = max<u32>(1, count / SAMPLES)
  let total: u32 = 0
  for (let i: u32 = 0; i < count && total < SAMPLES; i += step) {
    const at = tableAt + ((<usize>twoBytes(windowAt + <usize>i * width)) << 1)
    store<u16>(at, load<u16>(at) + 1)
    total++
  }
  let before: u32 = 0
  for (let at = tableAt; at < tableAt + TABLE_BYTES; at += 2) {
    const here = load<u16>(at)
    store<u16>(at, <u16>((before * buckets) / total))
    before += here
    if (before == total) before = total - 1
  }
}

/** How many bytes the first records have in common. */
function common(count: u32): u32 {
  let same = width
  for (let i: u32 = 1; i < count && same > 0; i++) {
    same = sameAtBeginning(windowAt, windowAt + <usize>i * width, same)
  }
  return same
}

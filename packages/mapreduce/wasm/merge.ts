/**
 * Merges sorted runs of records: a tournament, in which the loser of each game waits for the next winner from its side. The
 * memory is that of records.ts, between its tasks.
 *
 *     memory = [runs ...][games ...][a block of each run ...][a packed block][records on their way out]
 */
import { aligned, BASE, claim, copyRecord, isBefore, SLACK } from './record-bytes.ts'

let width: u32 = 0
let runs: u32 = 0
let headerBytes: u32 = 0
let outAt: usize = 0
let outEnd: usize = 0
let blockBytes: u32 = 0
let gamesAt: usize = 0
let blocksAt: usize = 0
let packedAt: usize = 0
let isStarted: bool = false
let outUsed: u32 = 0

/** As src/data/packed-pairs.ts has them. */
const PACKED_HEADER: usize = 12
/** run = [position u32][end u32]; game = [head of the loser u64][loser u32]; that of number 0 has the winner of all */
const RUN: usize = 8
const GAME: usize = 16
/** The head of a run that has nothing left: behind all others, also those whose head looks the same. */
const END: u64 = ~(<u64>0)

function runOf(run: u32): usize {
  return BASE + <usize>run * RUN
}

function gameOf(game: u32): usize {
  return gamesAt + <usize>game * GAME
}

/** Gets ready to merge. */
export function layoutMerge(
  recordWidth: u32,
  runCount: u32,
  pairHeader: u32,
  block: u32,
  outBytes: u32,
): void {
  width = recordWidth
  runs = runCount
  headerBytes = pairHeader
  blockBytes = <u32>aligned(block + SLACK)
  gamesAt = aligned(BASE + <usize>runs * RUN)
  blocksAt = aligned(gamesAt + <usize>runs * GAME)
  packedAt = blocksAt + <usize>runs * blockBytes
  outAt = packedAt + blockBytes
  outEnd = outAt + outBytes
  isStarted = false
  outUsed = 0
  claim(outEnd + SLACK)
  for (let run: u32 = 0; run < runs; run++) feed(run, 0)
}

/** Where the pairs of a run's next block are to be put. */
export function blockOf(run: u32): usize {
  return blocksAt + <usize>run * blockBytes
}

/** Where a packed block is to be put, for {@link unpack}. */
export function packed(): usize {
  return packedAt
}

/** Leaves what is packed as the pairs of a run's next block. */
export function unpack(run: u32, pairs: u32): void {
  const stride = load<u32>(packedAt)
  const before = load<u32>(packedAt, 4)
  const after = load<u32>(packedAt, 8)
  const between = stride - before - after
  const first = packedAt + PACKED_HEADER
  let from = first + stride
  let to = blockOf(run)
  for (let i: u32 = 0; i < pairs; i++) {
    copyRecord(to, first, before)
    copyRecord(to + before, from, between)
    copyRecord(to + before + between, first + stride - after, after)
    to += stride
    from += between
  }
}

/** The run goes on with so many bytes of pairs; with none, it is at its end. */
export function feed(run: u32, bytes: u32): void {
  const its = runOf(run)
  const at = <u32>blockOf(run)
  store<u32>(its, at)
  store<u32>(its, at + bytes, 4)
  if (isStarted) replay(run)
}

function headOf(run: u32): u64 {
  const its = runOf(run)
  const at = load<u32>(its)
  if (at == load<u32>(its, 4)) return END
  const head = bswap<u64>(load<u64>(<usize>at + headerBytes))
  return width < 8 ? head & (~(<u64>0) << ((8 - width) << 3)) : head
}

/**
 * Leaves records behind those that were not taken yet, until there is no room, or a run's block is used up: then says which
 * run is to be fed, or -1 for no room. All is done when it says -1 and there is nothing to take.
 */
export function merge(): i32 {
  if (!isStarted) {
    isStarted = true
    settle(0, runs == 1 ? 0 : play(1))
  }
  let to = outAt + outUsed
  const stride = headerBytes + width
  const limit = outEnd - width
  while (to <= limit) {
    const run = load<u32>(gameOf(0), 8)
    const its = runOf(run)
    const at = load<u32>(its)
    if (at == load<u32>(its, 4)) break
    copyRecord(to, <usize>at + headerBytes, width)
    to += width
    store<u32>(its, at + stride)
    if (at + stride == load<u32>(its, 4)) {
      outUsed = <u32>(to - outAt)
      return <i32>run
    }
    replay(run)
  }
  outUsed = <u32>(to - outAt)
  return -1
}

/** Where {@link merge} leaves records. */
export function mergedAt(): usize {
  return outAt
}

/** Takes what merge has left. @returns how many bytes, valid until the next merge */
export function take(): u32 {
  const bytes = outUsed
  outUsed = 0
  return bytes
}

/** Plays the games below `game` and gives the winner. Leaf i is `runs + i`. */
function play(game: u32): u32 {
  if (game >= runs) return game - runs
  const left = play(2 * game)
  const right = play(2 * game + 1)
  const leftWins = isFirst(left, right)
  settle(game, leftWins ? right : left)
  return leftWins ? left : right
}

function settle(game: u32, run: u32): void {
  store<u64>(gameOf(game), headOf(run))
  store<u32>(gameOf(game), run, 8)
}

/** Swaps without a branch: which of two runs is first is anybody's guess, and a wrong one costs more than the game. */
function replay(run: u32): void {
  let head = headOf(run)
  let winner = run
  for (let game = (run + runs) >> 1; game > 0; game >>= 1) {
    const at = gameOf(game)
    const otherHead = load<u64>(at)
    const other = load<u32>(at, 8)
    let isOther = otherHead < head
    if (otherHead == head) isOther = isFirst(other, winner)
    const headDifference = (otherHead ^ head) & -(<u64>isOther)
    const difference = (other ^ winner) & -(<u32>isOther)
    store<u64>(at, otherHead ^ headDifference)
    store<u32>(at, other ^ difference, 8)
    head ^= headDifference
    winner ^= difference
  }
  store<u64>(gameOf(0), head)
  store<u32>(gameOf(0), winner, 8)
}

function isFirst(a: u32, b: u32): bool {
  const mine = headOf(a)
  const other = headOf(b)
  if (mine != other) return mine < other
  const at = load<u32>(runOf(a))
  const otherAt = load<u32>(runOf(b))
  if (at == load<u32>(runOf(a), 4)) return false
  if (otherAt == load<u32>(runOf(b), 4)) return true
  if (width <= 8) return true
  return isBefore(<usize>at + headerBytes, <usize>otherAt + headerBytes, 8, width)
}

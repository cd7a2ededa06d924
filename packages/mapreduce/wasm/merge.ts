/**
 * Merges sorted runs of records: a tournament, in which the loser of each game waits for the next winner from its side. The
 * memory is that of records.ts, between its tasks.
 *
 *     memory = [runs: position, end, head, loser ...][a block of each run ...][records on their way out]
 */
import { aligned, BASE, claim, copyRecord, isBefore, SLACK } from './record-bytes.ts'

let width: u32 = 0
let runs: u32 = 0
let headerBytes: u32 = 0
let outAt: usize = 0
let outEnd: usize = 0
let blockBytes: u32 = 0
let blocksAt: usize = 0
let isStarted: bool = false
let outUsed: u32 = 0

/** state of a run = [head u64][position u32][end u32][loser of the game of this number u32][unused u32] */
const STATE: usize = 24
/** The head of a run that has nothing left: behind all others, also those whose head looks the same. */
const END: u64 = ~(<u64>0)

function state(run: u32): usize {
  return BASE + <usize>run * STATE
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
  blockBytes = block
  blocksAt = aligned(BASE + <usize>runs * STATE)
  outAt = aligned(blocksAt + <usize>runs * block + SLACK)
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

/** The run goes on with so many bytes of pairs; with none, it is at its end. */
export function feed(run: u32, bytes: u32): void {
  const its = state(run)
  const at = <u32>blockOf(run)
  store<u32>(its, at, 8)
  store<u32>(its, at + bytes, 12)
  loadHead(its)
  if (isStarted) replay(run)
}

function loadHead(its: usize): void {
  const at = load<u32>(its, 8)
  if (at == load<u32>(its, 12)) {
    store<u64>(its, END)
    return
  }
  let head = bswap<u64>(load<u64>(<usize>at + headerBytes))
  if (width < 8) head &= ~(<u64>0) << ((8 - width) << 3)
  store<u64>(its, head)
}

/**
 * Leaves records behind those that were not taken yet, until there is no room, or a run's block is used up: then says which
 * run is to be fed, or -1 for no room. All is done when it says -1 and there is nothing to take.
 */
export function merge(): i32 {
  if (!isStarted) {
    isStarted = true
    store<u32>(state(0), runs == 1 ? 0 : play(1), 16)
  }
  let to = outAt + outUsed
  const stride = headerBytes + width
  const limit = outEnd - width
  while (to <= limit) {
    const run = load<u32>(state(0), 16)
    const its = state(run)
    const at = load<u32>(its, 8)
    if (at == load<u32>(its, 12)) break
    copyRecord(to, <usize>at + headerBytes, width)
    to += width
    store<u32>(its, at + stride, 8)
    if (at + stride == load<u32>(its, 12)) {
      outUsed = <u32>(to - outAt)
      return <i32>run
    }
    loadHead(its)
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
  store<u32>(state(game), leftWins ? right : left, 16)
  return leftWins ? left : right
}

function replay(run: u32): void {
  let winner = run
  for (let game = (run + runs) >> 1; game > 0; game >>= 1) {
    const loser = load<u32>(state(game), 16)
    if (!isFirst(loser, winner)) continue
    store<u32>(state(game), winner, 16)
    winner = loser
  }
  store<u32>(state(0), winner, 16)
}

function isFirst(a: u32, b: u32): bool {
  const left = state(a)
  const right = state(b)
  const mine = load<u64>(left)
  const other = load<u64>(right)
  if (mine != other) return mine < other
  const at = load<u32>(left, 8)
  const otherAt = load<u32>(right, 8)
  if (at == load<u32>(left, 12)) return false
  if (otherAt == load<u32>(right, 12)) return true
  if (width <= 8) return true
  return isBefore(<usize>at + headerBytes, <usize>otherAt + headerBytes, 8, width)
}

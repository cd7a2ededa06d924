/** What sorting and merging share: memory, and the bytes of records. */

/** Below it is nothing of ours. */
export const BASE: usize = 1 << 12
/** Loads and stores may go past the last record by less than this. */
export const SLACK: usize = 64

/** Takes memory. */
export function claim(bytes: usize): void {
  const wanted = (bytes + 0xffff) >> 16
  const have = <usize>memory.size()
  if (wanted > have) memory.grow(<i32>(wanted - have))
}

/** Where a cache line begins, at `at` or behind it. */
export function aligned(at: usize): usize {
  return (at + 63) & ~(<usize>63)
}

/** Bytewise, for records that are equal in their first `depth` bytes. */
export function isBefore(a: usize, b: usize, depth: u32, width: u32): bool {
  let at = depth
  for (; at + 8 <= width; at += 8) {
    const mine = load<u64>(a + at)
    const other = load<u64>(b + at)
    if (mine != other) return bswap<u64>(mine) < bswap<u64>(other)
  }
  for (; at < width; at++) {
    const mine = load<u8>(a + at)
    const other = load<u8>(b + at)
    if (mine != other) return mine < other
  }
  return false
}

/** Copies a record, and not a byte more. */
export function copyExactly(to: usize, from: usize, width: u32): void {
  if (width < 16) {
    for (let at: u32 = 0; at < width; at++) store<u8>(to + at, load<u8>(from + at))
    return
  }
  const last = width - 16
  for (let at: u32 = 0; at < last; at += 16) v128.store(to + at, v128.load(from + at))
  v128.store(to + last, v128.load(from + last))
}

/** Copies a record. Up to 15 bytes behind it are overwritten: they are written next, or never read. */
export function copyRecord(to: usize, from: usize, width: u32): void {
  for (let at: u32 = 0; at < width; at += 16) v128.store(to + at, v128.load(from + at))
}

/** How many bytes two records have in common at their beginning. */
export function sameAtBeginning(a: usize, b: usize, width: u32): u32 {
  let same: u32 = 0
  while (same < width && load<u8>(a + same) == load<u8>(b + same)) same++
  return same
}

/** How many bytes two records have in common at their end: `most`, or fewer. */
export function sameAtEnd(a: usize, b: usize, width: u32, most: u32): u32 {
  let same: u32 = 0
  while (same + 16 <= most && !differ(a + width - same - 16, b + width - same - 16)) same += 16
  // The same sixteen bytes may be looked at twice: mostly all are equal.
  if (most >= 16 && same + 16 > most && !differ(a + width - most, b + width - most)) return most
  while (same < most && load<u8>(a + width - same - 1) == load<u8>(b + width - same - 1)) same++
  return same
}

function differ(a: usize, b: usize): bool {
  return v128.any_true(v128.xor(v128.load(a), v128.load(b)))
}

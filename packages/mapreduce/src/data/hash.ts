/**
 * The hash of a key's bytes. It decides the default partition, so every engine and every version must give the same:
 * four bytes at a time, little endian, padded with zeros, at least two words; then the length.
 */

/** An unsigned 32-bit hash of bytes [start, end). */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = mixWord(mixWord(0, wordAt(bytes, start, end)), wordAt(bytes, start + 4, end))
  for (let at = start + 8; at < end; at += 4) hash = mixWord(hash, wordAt(bytes, at, end))
  return finishHash(hash, end - start)
}

/** The four bytes at `at`, those from `end` on being zero. */
export function wordAt(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 <= end)
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    )
  let word = 0
  for (let i = end - 1; i >= at; i--) word = (word << 8) | (bytes[i] as number)
  return word
}

export function mixWord(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51)
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
  hash ^= mixed
  return (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
}

export function finishHash(hash: number, length: number): number {
  hash ^= length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

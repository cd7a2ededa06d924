/**
 * Which sizes of block there are: multiples of eight up to 128 bytes, then eight to each doubling. No block is more than an eighth
 * (and seven bytes) larger than what it was asked for, and a value that grows by appending moves once for each eighth.
 */

/** @param size in bytes, from 1 on */
export function classOf(size: number): number {
  if (size <= 128) return (size + 7) >>> 3
  const last = size - 1
  const exponent = 31 - Math.clz32(last)
  return 16 + ((exponent - 7) << 3) + (last >>> (exponent - 3)) - 7
}

/** The bytes of a block of that class; always a multiple of eight. */
export function sizeOfClass(sizeClass: number): number {
  if (sizeClass <= 16) return sizeClass << 3
  const step = sizeClass - 17
  return ((step & 7) + 9) << (4 + (step >>> 3))
}

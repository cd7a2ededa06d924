/** Byte by byte; what is the beginning of the other comes first. @returns below 0 when `a` comes first, 0 when they are equal */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length)
  for (let i = 0; i < common; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Is one of them there twice? Sorted: each against each would take a transaction of 128 operations longer than all it does. */
export function hasTwice(keys: readonly Uint8Array[]): boolean {
  const sorted = [...keys].sort(compareBytes)
  return sorted.some((key, at) => at > 0 && compareBytes(sorted[at - 1] as Uint8Array, key) === 0)
}

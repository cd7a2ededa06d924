/** Calls `each` with where every word of a line begins and ends. */
export function wordsIn(line: Uint8Array, each: (start: number, end: number) => void): void {
  const { length } = line
  for (let at = 0; at < length;) {
    while (at < length && !isLetter(line[at] as number)) at++
    const start = at
    while (at < length && isLetter(line[at] as number)) at++
    if (at > start) each(start, at)
  }
}

function isLetter(byte: number): boolean {
  return ((byte | 0x20) - 97) >>> 0 < 26
}

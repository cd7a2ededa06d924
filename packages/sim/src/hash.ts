/** Hashes that are the same on every machine: integer arithmetic only. Not for secrets. */

/** 32 bits of a text (FNV-1a over UTF-16 units, then mixed). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mixed(hash)
}

/** A running hash of lines: 64 bits, as 16 digits. */
export class LineHash {
  #a = 0x9e3779b9 | 0
  #b = 0x243f6a88 | 0

  add(line: string): void {
    let a = this.#a
    let b = this.#b
    for (let at = 0; at < line.length; at++) {
      const unit = line.charCodeAt(at)
      a = Math.imul(a ^ unit, 0x85ebca6b)
      b = Math.imul(b ^ unit, 0xc2b2ae35)
    }
    this.#a = Math.imul(a ^ (a >>> 15) ^ b, 0x27d4eb2f)
    this.#b = Math.imul(b ^ (b >>> 13) ^ a, 0x165667b1)
  }

  get digest(): string {
    return [mixed(this.#a), mixed(this.#b)].map((half) => half.toString(16).padStart(8, '0')).join('')
  }
}

function mixed(hash: number): number {
  let h = hash ^ (hash >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

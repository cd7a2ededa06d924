/** Input that is the same on every machine: words as rare as in long texts, and records as sort benchmarks have them. */
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'

const DISTINCT_WORDS = 285_000
const CHUNK_BYTES = 1 << 20
export const RECORD_BYTES = 100
const KEY_BYTES = 10
/** After key and number, with two spaces each. */
const FILLER_AT = 46
const HEX = Buffer.from('0123456789ABCDEF')

/** xorshift32, from 0 to 2^32 - 1. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

/** Files of text: ASCII words by Zipf and Mandelbrot's law (s = 1, q = 2.7), capitals, commas, lines of some 72 characters. */
export function textFiles(folder: string, files: number, fileBytes: number): string[] {
  let words: Buffer[] | undefined
  return filesOf(folder, 'text', files, fileBytes, (chunk, next) => {
    words ??= vocabulary()
    return fillText(chunk, words, next)
  })
}

/**
 * Files of records of 100 bytes, as gensort's are: ten random printable ones, a number, a filler of thirteen random digits four times each, CRLF.
 * Were the filler one and the same, it would stand once in a block of a spill, and the sort be that of a quarter of the bytes.
 */
export function recordFiles(folder: string, files: number, fileBytes: number): string[] {
  const whole = fileBytes - (fileBytes % RECORD_BYTES)
  return filesOf(folder, 'records', files, whole, (chunk, next) => {
    const size = chunk.length - (chunk.length % RECORD_BYTES)
    for (let at = 0; at < size; at += RECORD_BYTES) {
      for (let i = 0; i < KEY_BYTES; i++) chunk[at + i] = 32 + (next() % 95)
      const number = (next() >>> 0).toString(16).toUpperCase().padStart(32, '0')
      chunk.write(`  ${number}  `, at + KEY_BYTES, 'latin1')
      for (let i = at + FILLER_AT; i < at + RECORD_BYTES - 2; i += 4)
        chunk.writeUInt32LE((HEX[next() & 15] ?? 0) * 0x01010101, i)
      chunk.write('\r\n', at + RECORD_BYTES - 2, 'latin1')
    }
    return size
  })
}

/** The same files `copies` times over, under other names. @returns how many there are */
export function again(paths: readonly string[], folder: string, copies: number): number {
  for (let copy = 0; copy < copies; copy++)
    for (const path of paths) {
      const name = join(folder, `again-${copy}-${basename(path)}`)
      if (!existsSync(name)) linkSync(path, name)
    }
  return copies * paths.length
}

/** Files of one line each. @returns their bytes */
export function tinyFiles(folder: string, count: number): number {
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `tiny-${i}`), 'x\n')
  return 2 * count
}

/** A file of so many lines of one letter. @returns its bytes */
export function lineFile(folder: string, count: number): number {
  writeFileSync(join(folder, 'lines-0'), 'x\n'.repeat(count))
  return 2 * count
}

function filesOf(
  folder: string,
  name: string,
  files: number,
  fileBytes: number,
  fill: (chunk: Buffer, next: () => number) => number,
): string[] {
  mkdirSync(folder, { recursive: true })
  return Array.from({ length: files }, (_, i) => {
    const path = join(folder, `${name}-${i}-${fileBytes}`)
    if (existsSync(path) && statSync(path).size === fileBytes) return path
    const next = numbers(i + 1)
    const file = openSync(path, 'w')
    for (let left = fileBytes; left > 0;) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, left + RECORD_BYTES))
      const size = Math.min(fill(chunk, next), left)
      writeSync(file, chunk, 0, size)
      left -= size
    }
    closeSync(file)
    return path
  })
}

function fillText(chunk: Buffer, words: readonly Buffer[], next: () => number): number {
  let [at, column] = [0, 0]
  while (at < chunk.length - 40) {
    const word = words[rankOf(next() / 2 ** 32)] as Buffer
    at += word.copy(chunk, at)
    const chance = next() % 32
    if (chance === 0) chunk[at - word.length] = (chunk[at - word.length] as number) & 0xdf
    if (chance === 1) chunk[at++] = 44
    column += word.length + 1
    chunk[at++] = column > 68 ? 10 : 32
    if (column > 68) column = 0
  }
  return at
}

/** The inverse of the cumulated law, near enough: ranks grow exponentially with the draw. */
function rankOf(draw: number): number {
  const q = 2.7
  const rank = q * Math.exp(draw * Math.log((DISTINCT_WORDS + q) / q)) - q
  return Math.min(DISTINCT_WORDS - 1, Math.floor(rank))
}

/** Short words first, as in a language. */
function vocabulary(): Buffer[] {
  const next = numbers(4711)
  const seen = new Set<string>()
  while (seen.size < DISTINCT_WORDS) {
    const length = 1 + (next() % 3) + Math.floor(Math.log2(1 + seen.size) / 3)
    let word = ''
    for (let i = 0; i < length; i++) {
      const letters = i % 2 === 0 ? 'tnshrdlcmfgpbwvk' : 'eaoiueaoeiaeyoia'
      word += letters[next() % 16] ?? ''
    }
    seen.add(word)
  }
  return [...seen].map((word) => Buffer.from(word))
}

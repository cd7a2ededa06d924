import { compareBytes } from '../data/compare.ts'
import { DataError } from '../data/errors.ts'
import { PairView } from '../data/pairs.ts'
import { RECORD_BYTES_MAX } from '../data/record-windows.ts'
import type { SortedRun } from '../data/segment-reader.ts'
import { readText } from '../data/text.ts'
import { JobError } from '../errors.ts'
import { unescapeInPlace } from './line-bytes.ts'
import type { StreamPorts } from './ports.ts'

const TAB = 9
const LF = 10
const PREVIEW_BYTES = 80

/** Lines of `key<TAB>value` as pairs. A line without a TAB is a key whose value is empty. */
export class LineRun implements SortedRun {
  readonly pair = new PairView()
  bytes = new Uint8Array(1 << 18)
  /** Lines so far. */
  lines = 0
  readonly #ports: Pick<StreamPorts, 'read'>
  readonly #isOrderChecked: boolean
  /** What has been read and is no line yet: [from, filled) of `bytes`. */
  #from = 0
  #filled = 0
  #isAtEnd = false
  #last = new Uint8Array(256)
  #lastLength = 0

  /** @param isOrderChecked may keys only grow? */
  constructor(ports: Pick<StreamPorts, 'read'>, isOrderChecked: boolean) {
    this.#ports = ports
    this.#isOrderChecked = isOrderChecked
  }

  /** @throws {JobError} `BAD_INPUT` for a key that comes after a greater one @throws {DataError} `TOO_LARGE` */
  next(): boolean {
    const end = this.#endOfLine()
    if (end === -1) return false
    this.lines++
    this.#split(this.#from, end)
    this.#from = end + 1
    if (this.#isOrderChecked) this.#checkOrder()
    return true
  }

  /** The key moves over its TAB, for a pair's value begins where its key ends. */
  #split(start: number, end: number): void {
    const { bytes, pair } = this
    const tab = bytes.indexOf(TAB, start)
    const keyEnd = tab === -1 || tab > end ? end : tab
    const keyLength = unescapeInPlace(bytes, start, keyEnd) - start
    const valueStart = Math.min(keyEnd + 1, end)
    pair.keyStart = valueStart - keyLength
    bytes.copyWithin(pair.keyStart, start, start + keyLength)
    pair.start = pair.keyStart
    pair.keyEnd = valueStart
    pair.end = unescapeInPlace(bytes, valueStart, end)
  }

  /** Reads on until a line is whole. @returns where it ends, or -1 when there is no more */
  #endOfLine(): number {
    for (let looked = this.#from; ;) {
      const at = this.bytes.subarray(0, this.#filled).indexOf(LF, looked)
      if (at !== -1) return at
      if (this.#isAtEnd) return this.#filled > this.#from ? this.#filled : -1
      looked = this.#filled - this.#from
      this.#makeRoom()
      const count = this.#ports.read(this.bytes.subarray(this.#filled))
      this.#filled += count
      this.#isAtEnd = count === 0
    }
  }

  /** For one byte at least, and one more for the line end that the last line may lack. */
  #makeRoom(): void {
    this.bytes.copyWithin(0, this.#from, this.#filled)
    this.#filled -= this.#from
    this.#from = 0
    if (this.#filled < this.bytes.length / 2) return
    if (this.#filled > RECORD_BYTES_MAX)
      throw new DataError('TOO_LARGE', `line ${String(this.lines + 1)} does not end within 256 MB`)
    const grown = new Uint8Array(this.bytes.length * 2)
    grown.set(this.bytes.subarray(0, this.#filled))
    this.bytes = grown
  }

  #checkOrder(): void {
    const { bytes, pair } = this
    if (compareBytes(this.#last, 0, this.#lastLength, bytes, pair.keyStart, pair.keyEnd) > 0)
      throw new JobError(
        'BAD_INPUT',
        `line ${String(this.lines)} of standard input has the key ${shown(bytes, pair.keyStart, pair.keyEnd)} after ${shown(this.#last, 0, this.#lastLength)}: sort it with LC_ALL=C sort; order: 'none' in the job takes any order that has equal keys together`,
      )
    this.#lastLength = pair.keyEnd - pair.keyStart
    if (this.#lastLength > this.#last.length) this.#last = new Uint8Array(this.#lastLength * 2)
    this.#last.set(bytes.subarray(pair.keyStart, pair.keyEnd))
  }
}

function shown(bytes: Uint8Array, start: number, end: number): string {
  return JSON.stringify(readText(bytes, start, Math.min(end, start + PREVIEW_BYTES)))
}

/** What {@link sumValues} and lines of `key<TAB>value` give for text keys: without a string, a group or a call for each key. */
import { jsonValue } from '../data/values.ts'
import type { KernelReduce } from './kernel.ts'

const TAB = 9
const LF = 10
const ZERO = 48
/** Room for a TAB, any number and a line end. */
const TAIL_BYTES = 32
const PAIRS_BETWEEN_LOOKS = 1 << 14

export function sumRuns(reduce: KernelReduce): void {
  const { run, part, onProgress } = reduce
  let line = new Uint8Array(1 << 10)
  let length = -1
  let total = 0
  for (let pairs = 0; run.next(); pairs++) {
    const { bytes, pair } = run
    const { keyStart, keyEnd, end } = pair
    if (keyEnd - keyStart !== length || !isSame(line, bytes, keyStart, length)) {
      if (length >= 0) part.writeSlice(line, 0, endLine(line, length, total))
      length = keyEnd - keyStart
      if (length + TAIL_BYTES > line.length) line = new Uint8Array(2 * (length + TAIL_BYTES))
      for (let i = 0; i < length; i++) line[i] = bytes[keyStart + i] as number
      total = 0
    }
    total += jsonValue.read(bytes, keyEnd, end) as number
    if (pairs % PAIRS_BETWEEN_LOOKS === 0) onProgress(pairs)
  }
  if (length >= 0) part.writeSlice(line, 0, endLine(line, length, total))
}

function isSame(line: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (line[i] !== bytes[start + i]) return false
  return true
}

/** Writes the TAB, the number and the line end behind the key. @returns where the line ends */
function endLine(line: Uint8Array, length: number, total: number): number {
  line[length] = TAB
  let end = length + 1
  if (Number.isInteger(total) && total >= 0 && total < 2 ** 31) {
    for (let left = total; left >= 10; left = (left / 10) | 0) end++
    let at = end
    let left = total
    do {
      line[at--] = ZERO + (left % 10)
      left = (left / 10) | 0
    } while (left > 0)
    end++
  } else end += Buffer.from(line.buffer).write(String(total), end, 'latin1')
  line[end] = LF
  return end + 1
}

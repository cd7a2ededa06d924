/** What {@link sumValues} and lines of `key<TAB>value` give for keys that are text or bytes: without a string, a group or a call for each key. */
import { bytesKey, textKey } from '../data/keys.ts'
import { tabLines } from '../data/output-formats.ts'
import { asBuffer } from '../data/text.ts'
import { jsonValue } from '../data/values.ts'
import type { Job } from '../job.ts'
import type { Kernel, KernelReduce } from './kernel.ts'
import { sumValues } from './sum.ts'

const TAB = 9
const LF = 10
const ZERO = 48
/** Room for a TAB, any number and a line end. */
const TAIL_BYTES = 32
const PAIRS_BETWEEN_LOOKS = 1 << 14

/** A job's parts, to be compared with the engine's own. */
type Plain = { readonly [Part in keyof Job]: unknown }

/** {@link sumRuns}, where it does what the job's own reduce would: undefined for other jobs. */
export function sumOf(job: Job<unknown, unknown, unknown, unknown, unknown>): Kernel['reduce'] {
  const { key = textKey, value = jsonValue, output = tabLines, ...rest } = job as Plain
  const isSum = rest.reduce === sumValues && value === jsonValue && output === tabLines
  return isSum && (key === textKey || key === bytesKey) ? sumRuns : undefined
}

export function sumRuns(reduce: KernelReduce): void {
  const { run, part, onProgress } = reduce
  let line = new Uint8Array(1 << 10)
  let length = -1
  let total = 0
  let isAscii = true
  for (let pairs = 0; run.next(); pairs++) {
    const { bytes, pair } = run
    const { keyStart, keyEnd, end } = pair
    if (keyEnd - keyStart !== length || !isSame(line, bytes, keyStart, length)) {
      if (length >= 0) write(part, line, endLine(line, length, total), isAscii)
      length = keyEnd - keyStart
      if (length + TAIL_BYTES > line.length) line = new Uint8Array(2 * (length + TAIL_BYTES))
      let bits = 0
      for (let i = 0; i < length; i++) {
        const byte = bytes[keyStart + i] as number
        bits |= byte
        line[i] = byte
      }
      isAscii = bits < 0x80
      total = 0
    }
    total += jsonValue.read(bytes, keyEnd, end) as number
    if (pairs % PAIRS_BETWEEN_LOOKS === 0) onProgress(pairs)
  }
  if (length >= 0) write(part, line, endLine(line, length, total), isAscii)
}

/** Bytes that are no UTF-8 become what they become where lines are made of text. */
function write(part: KernelReduce['part'], line: Uint8Array, end: number, isAscii: boolean): void {
  if (isAscii) part.writeSlice(line, 0, end)
  else part.writeBytes(Buffer.from(asBuffer(line).toString('utf8', 0, end)), 1)
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

/** Whole lines of a split, as many at a time as a block holds: for those who look at few of them. */
import type { InputBytes } from '../formats.ts'
import { DataError } from './errors.ts'
import { firstLine, readAt, RECORD_BYTES_MAX } from './record-windows.ts'

const LF = 10

export interface LineBlock {
  /** Whole lines, the last one of the file perhaps without an end. Valid until the next block. */
  readonly bytes: Uint8Array
  readonly position: number
}

/** @throws {DataError} `TOO_LARGE` for a line of more than 256 MB */
export async function* lineBlocks(
  input: InputBytes,
  start: number,
  end: number,
  blockBytes: number,
): AsyncGenerator<LineBlock, void, undefined> {
  const first = await firstLine(input, start, end)
  // A split in which no line begins: its bytes belong to a line before.
  if (first >= end) return
  const to = end >= input.size ? end : await firstLine(input, end, input.size)
  let wanted = blockBytes
  for (let position = first; position < to;) {
    const asked = Math.min(wanted, to - position)
    const bytes = await readAt(input, position, asked)
    if (bytes.length === 0) return
    const isLast = bytes.length < asked || position + bytes.length >= to
    const length = isLast ? bytes.length : bytes.lastIndexOf(LF) + 1
    if (length === 0) {
      if (wanted >= RECORD_BYTES_MAX)
        throw new DataError('TOO_LARGE', `the line at byte ${position} does not end within ${wanted} bytes`)
      wanted *= 2
      continue
    }
    yield { bytes: bytes.subarray(0, length), position }
    position += length
    wanted = blockBytes
  }
}

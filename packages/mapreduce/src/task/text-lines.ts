/** Lines of UTF-8 text, without their ends: LF or CRLF, the last one with or without. */
import type { InputBytes, InputFormat, InputRecord } from '../formats.ts'

const CHUNK_BYTES = 1 << 18
const LF = 10
const CR = 13

export const textLines: InputFormat<string> = {
  name: 'text lines',
  splittable: true,
  records: readLines,
}

/** A line belongs to the split that holds its first byte: so the first line of a split may belong to the one before. */
async function* readLines(
  input: InputBytes,
  start: number,
  end: number,
): AsyncGenerator<readonly InputRecord<string>[], void, undefined> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  // The byte before tells whether a line begins at `start`.
  let position = Math.max(0, start - 1)
  let isSkipping = start > 0
  let line = position
  let carried = new Uint8Array(0)
  while (line < end && position < input.size) {
    const read = input.read(position, CHUNK_BYTES)
    const chunk = read instanceof Promise ? await read : read
    if (chunk.length === 0) break
    const batch: InputRecord<string>[] = []
    let from = 0
    for (let at = chunk.indexOf(LF); at !== -1 && line < end; at = chunk.indexOf(LF, from)) {
      if (!isSkipping && line >= start)
        batch.push({
          offset: line,
          record: decoder.decode(withoutCr(joined(carried, chunk.subarray(from, at)))),
        })
      isSkipping = false
      carried = new Uint8Array(0)
      from = at + 1
      line = position + from
    }
    position += chunk.length
    if (line < end && !isSkipping) carried = joined(carried, chunk.subarray(from)).slice()
    if (batch.length > 0) yield batch
  }
  if (line < end && !isSkipping && carried.length > 0)
    yield [{ offset: line, record: decoder.decode(withoutCr(carried)) }]
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

function withoutCr(line: Uint8Array): Uint8Array {
  return line[line.length - 1] === CR ? line.subarray(0, -1) : line
}

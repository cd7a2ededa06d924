/** Records that are lines: text, and JSON. A line ends with LF or CRLF, the last one also without. */
import type { InputBytes, InputFormat, InputRecord } from '../formats.ts'
import { toError } from '@lab/rpc'
import { DataError } from './errors.ts'
import { endOfLine, firstLine, recordWindows, type RecordWindow } from './record-windows.ts'
import { asBuffer } from './text.ts'

const BYTE_ORDER_MARK = '\ufeff'

/** Lines as text, without their ends. Bytes that are no UTF-8 become U+FFFD. The default. */
export const textLines: InputFormat<string> = {
  name: 'text lines',
  splittable: true,
  async *records(input, start, end) {
    for await (const window of lineWindows(input, start, end)) yield linesOf(window)
  },
}

/**
 * Lines as JSON values; empty ones are passed over.
 *
 * @throws {DataError} `BAD_RECORD` with the byte at which the line begins
 */
export const jsonLinesInput: InputFormat<unknown> = {
  name: 'JSON lines',
  splittable: true,
  async *records(input, start, end) {
    for await (const window of lineWindows(input, start, end))
      yield linesOf(window)
        .filter(({ record }) => record.trim() !== '')
        .map(({ offset, record }) => ({ offset, record: parsed(record, offset) }))
  },
}

/** Lines as bytes, without their ends: no text is made. Each is a view, valid until map has returned. */
export const byteLines: InputFormat<Uint8Array> = {
  name: 'byte lines',
  splittable: true,
  async *records(input, start, end) {
    for await (const { bytes, position, ends } of lineWindows(input, start, end)) {
      let from = 0
      yield ends.map((to) => {
        const line = { offset: position + from, record: bytes.subarray(from, lineEnd(bytes, from, to)) }
        from = to
        return line
      })
    }
  },
}

async function* lineWindows(
  input: InputBytes,
  start: number,
  end: number,
): AsyncGenerator<RecordWindow, void, undefined> {
  yield* recordWindows(input, await firstLine(input, start, end), end, endOfLine)
}

/** One call makes the text of all lines: one for each would cost more than all the rest of reading. */
function linesOf({ bytes, position, ends }: RecordWindow): InputRecord<string>[] {
  const all = asBuffer(bytes).toString('utf8', 0, ends[ends.length - 1])
  const lines = (position === 0 && all.startsWith(BYTE_ORDER_MARK) ? all.slice(1) : all).split('\n')
  const hasReturns = all.includes('\r')
  let from = 0
  return ends.map((to, i) => {
    const text = lines[i] as string
    const offset = position + from
    from = to
    return { offset, record: hasReturns && text.endsWith('\r') ? text.slice(0, -1) : text }
  })
}

/** Before the line end of [from, to). */
function lineEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = to
  if (end > from && bytes[end - 1] === 10) end--
  if (end > from && bytes[end - 1] === 13) end--
  return end
}

function parsed(line: string, offset: number): unknown {
  try {
    return JSON.parse(line) as unknown
  } catch (thrown) {
    throw new DataError('BAD_RECORD', `the line at byte ${offset} is no JSON: ${toError(thrown).message}`)
  }
}

/** Comma-separated values (RFC 4180): fields in quotes may hold separators, doubled quotes and line ends. */
import type { InputBytes, InputFormat } from '../formats.ts'
import { readAt, recordWindows, type EndOf } from './record-windows.ts'
import { asBuffer } from './text.ts'

const LF = 10
const QUOTE = 34
const SCAN_BYTES = 1 << 18

export interface CsvOptions {
  /** One character. Default `,`. */
  readonly separator?: string
  /**
   * May a file be cut into splits? Where a record begins follows only from the number of quotes before: each split then
   * counts those of the whole file before it. Default false: a file is one split.
   */
  readonly splittable?: boolean
}

/** Records as lists of fields. */
export function csv(options: CsvOptions = {}): InputFormat<string[]> {
  const separator = options.separator ?? ','
  return {
    name: 'CSV',
    splittable: options.splittable ?? false,
    async *records(input, start, end) {
      const first = await firstRecord(input, start, end)
      for await (const { bytes, position, ends } of recordWindows(input, first, end, endOfRecord)) {
        let from = 0
        yield ends.map((to) => {
          const offset = position + from
          const text = asBuffer(bytes).toString('utf8', from, to)
          from = to
          return { offset, record: fieldsOf(offset === 0 ? text.replace(/^\ufeff/, '') : text, separator) }
        })
      }
    },
  }
}

/** Records as objects, named by the first record of the file, which is none itself. Missing fields are ''. */
export function csvWithHeader(options: CsvOptions = {}): InputFormat<Record<string, string>> {
  const plain = csv(options)
  return {
    name: 'CSV with a header',
    splittable: plain.splittable,
    async *records(input, start, end) {
      let names: string[] | undefined
      for await (const [first] of plain.records(input, 0, 1)) names = first?.record
      if (names === undefined) return
      const header = names
      for await (const batch of plain.records(input, start, end))
        yield batch
          .filter(({ offset }) => offset > 0)
          .map(({ offset, record }) => ({
            offset,
            record: Object.fromEntries(header.map((name, i) => [name, record[i] ?? ''])),
          }))
    },
  }
}

/** A line end outside of quotes: after an even number of them. */
const endOfRecord: EndOf = (bytes, from) => {
  let isQuoted = false
  for (let at = from; ;) {
    const end = bytes.indexOf(LF, at)
    if (end === -1) return -1
    if (countQuotes(bytes, at, end) % 2 === 1) isQuoted = !isQuoted
    if (!isQuoted) return end + 1
    at = end + 1
  }
}

async function firstRecord(input: InputBytes, start: number, end: number): Promise<number> {
  if (start === 0) return 0
  let quotes = 0
  // The byte before `start` may be the line end that makes a record begin right there.
  for (let position = 0; position < start - 1;) {
    const bytes = await readAt(input, position, Math.min(SCAN_BYTES, start - 1 - position))
    quotes += countQuotes(bytes, 0, bytes.length)
    position += bytes.length
  }
  for (let position = start - 1; position < end;) {
    const bytes = await readAt(input, position, SCAN_BYTES)
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at] === QUOTE) quotes++
      else if (bytes[at] === LF && quotes % 2 === 0) return position + at + 1
    }
    if (bytes.length < SCAN_BYTES) return end
    position += bytes.length
  }
  return end
}

function countQuotes(bytes: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let at = from; at < to; at++) if (bytes[at] === QUOTE) count++
  return count
}

/** The fields of one record, its line end included or not. A quote inside a field that does not begin with one is kept. */
function fieldsOf(text: string, separator: string): string[] {
  const end = text.length - (text.endsWith('\r\n') ? 2 : text.endsWith('\n') ? 1 : 0)
  const fields: string[] = []
  for (let at = 0; ;) {
    let field = ''
    if (text[at] === '"' && at < end) {
      at++
      for (;;) {
        const quote = text.indexOf('"', at)
        const to = quote === -1 || quote >= end ? end : quote
        field += text.slice(at, to)
        at = Math.min(to + 1, end)
        if (text[at] !== '"' || at >= end || to === end) break
        field += '"'
        at++
      }
    }
    const next = text.indexOf(separator, at)
    const to = next === -1 || next > end ? end : next
    fields.push(field + text.slice(at, to))
    if (to === end) return fields
    at = to + 1
  }
}

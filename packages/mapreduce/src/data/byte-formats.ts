/** Records that are bytes: all of the same width, or whole files. */
import type { InputFormat, InputRecord } from '../formats.ts'
import { DataError } from './errors.ts'
import { readAt, RECORD_BYTES_MAX } from './record-windows.ts'
import { asBuffer } from './text.ts'

const WINDOW_BYTES = 1 << 18

/**
 * Records of `width` bytes each, without anything between them. Each is a view, valid until map has returned.
 *
 * @throws {DataError} `BAD_RECORD` when the file ends within a record
 */
export function fixedWidth(width: number): InputFormat<Uint8Array> {
  if (!Number.isInteger(width) || width < 1) throw new RangeError(`a width of ${String(width)} bytes`)
  return {
    name: `records of ${width} bytes`,
    splittable: true,
    async *records(input, start, end) {
      const atOnce = Math.max(1, Math.floor(WINDOW_BYTES / width))
      for (let position = Math.ceil(start / width) * width; position < end;) {
        const count = Math.min(atOnce, Math.ceil((end - position) / width))
        const bytes = await readAt(input, position, count * width)
        if (bytes.length === 0) return
        if (bytes.length % width !== 0)
          throw new DataError(
            'BAD_RECORD',
            `the record at byte ${position + bytes.length - (bytes.length % width)} has no ${width} bytes`,
          )
        const batch: InputRecord<Uint8Array>[] = []
        for (let at = 0; at < bytes.length; at += width)
          batch.push({ offset: position + at, record: bytes.subarray(at, at + width) })
        yield batch
        position += bytes.length
      }
    },
  }
}

/** Each file as one record, as bytes that are the job's own. @throws {DataError} `TOO_LARGE` from 256 MB on */
export const wholeFileBytes: InputFormat<Uint8Array> = {
  name: 'whole files, as bytes',
  splittable: false,
  async *records(input) {
    const pieces: Uint8Array[] = []
    for (let position = 0; ;) {
      const bytes = await readAt(input, position, WINDOW_BYTES)
      pieces.push(bytes.slice())
      position += bytes.length
      if (position > RECORD_BYTES_MAX)
        throw new DataError('TOO_LARGE', 'a file of more than 256 MB as one record')
      if (bytes.length < WINDOW_BYTES) break
    }
    yield [{ offset: 0, record: new Uint8Array(Buffer.concat(pieces)) }]
  },
}

/** Each file as one text. `context.inputFile` is its name. @throws {DataError} `TOO_LARGE` from 256 MB on */
export const wholeFile: InputFormat<string> = {
  name: 'whole files',
  splittable: false,
  async *records(input, start, end) {
    for await (const batch of wholeFileBytes.records(input, start, end))
      yield batch.map(({ offset, record }) => ({
        offset,
        record: asBuffer(record)
          .toString()
          .replace(/^\ufeff/, ''),
      }))
  },
}

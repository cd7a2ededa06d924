import { jsonCodec, toError } from '@lab/rpc'
import { DataError } from '../data/errors.ts'
import { inPlaceCodec, type InPlaceCodec } from '../data/in-place.ts'
import { readText, textBytesMax, writeText } from '../data/text.ts'

const json = jsonCodec()
const BEYOND_JSON: ReadonlyMap<string, number> = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])
let text = ''

/**
 * Values as JSON that people and other programs read: `1`, `"to be"`. Keeps what `jsonValue` keeps, so `-0` and the numbers that JSON has
 * not stand as JavaScript writes them.
 *
 * @throws {DataError} `BAD_VALUE` for what JSON would not give back, `BAD_RECORD` for text that is no JSON
 */
export const jsonText: InPlaceCodec<unknown> = inPlaceCodec<unknown>('JSON text', {
  bytesMax(value) {
    text =
      typeof value === 'number'
        ? numberText(value)
        : typeof value === 'string'
          ? JSON.stringify(value)
          : other(value)
    return textBytesMax(text)
  },
  // Asked right after bytesMax for the same value.
  write: (_value, into, at) => writeText(text, into, at),
  read(bytes, start, end) {
    const written = readText(bytes, start, end)
    const number = BEYOND_JSON.get(written)
    if (number !== undefined) return number
    try {
      return JSON.parse(written) as unknown
    } catch {
      throw new DataError('BAD_RECORD', `the value ${JSON.stringify(written.slice(0, 80))} is no JSON`)
    }
  },
})

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function other(value: unknown): string {
  try {
    const bytes = json.encode(value)
    return readText(bytes, 0, bytes.length)
  } catch (thrown) {
    throw new DataError('BAD_VALUE', toError(thrown).message, { cause: thrown })
  }
}

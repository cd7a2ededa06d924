/** What part files look like. */
import type { OutputFormat } from '../formats.ts'
import { asBuffer } from './text.ts'

/** An output format whose pairs are text. */
export interface TextFormat<K, V> extends OutputFormat<K, V> {
  line(key: K, value: V): string
}

export function textFormat<K, V>(name: string, line: (key: K, value: V) => string): TextFormat<K, V> {
  return { name, line, encode: (key, value) => Buffer.from(line(key, value)) }
}

export function isTextFormat<K, V>(format: OutputFormat<K, V>): format is TextFormat<K, V> {
  return 'line' in format
}

/** `key<TAB>value` lines. The default. Text stands as it is, so a key with a TAB or a line end is for the reader to tell: {@link jsonLines} keeps it. */
export const tabLines: TextFormat<unknown, unknown> = textFormat(
  'tab-lines',
  (key, value) => `${shown(key)}\t${shown(value)}\n`,
)

/** Lines of `["key",value]`, which keep whatever stands in them. */
export const jsonLines: TextFormat<unknown, unknown> = textFormat(
  'json-lines',
  (key, value) => `${JSON.stringify([key, value])}\n`,
)

/** Lines of the value alone. */
export const valueLines: TextFormat<unknown, unknown> = textFormat(
  'value-lines',
  (_key, value) => `${shown(value)}\n`,
)

function shown(part: unknown): string {
  switch (typeof part) {
    case 'string':
      return part
    case 'object':
      if (part instanceof Uint8Array) return asBuffer(part).toString()
      if (part instanceof Date) return part.toISOString()
      return JSON.stringify(part)
    default:
      return String(part)
  }
}

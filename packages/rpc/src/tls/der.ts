/** As much of DER (X.690), the encoding of certificates, as making one takes: tag, length, content. */
export type Der = Buffer

const SHORT_LENGTH_MAX = 127
const LONG_FORM = 0x80

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** A context-specific tag, such as `[0]`; constructed unless `primitive`. */
export function contextTag(number: number, form: 'constructed' | 'primitive' = 'constructed'): number {
  return LONG_FORM | number | (form === 'constructed' ? 0x20 : 0)
}

export function der(tag: number, ...content: readonly Uint8Array[]): Der {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(body.length)]), body])
}

export const sequence = (...content: readonly Uint8Array[]): Der => der(Tag.sequence, ...content)
export const octets = (content: Uint8Array): Der => der(Tag.octetString, content)
export const utf8 = (text: string): Der => der(Tag.utf8, Buffer.from(text))

/** @param bits how many at the end of the last byte mean nothing */
export const bitString = (content: Uint8Array, bits = 0): Der =>
  der(Tag.bitString, Uint8Array.of(bits), content)

/** Not negative, from its bytes. */
export function integer(bytes: Uint8Array): Der {
  return der(Tag.integer, (bytes[0] ?? 0) >= LONG_FORM ? Uint8Array.of(0) : new Uint8Array(), bytes)
}

/** `2.5.29.17` */
export function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(Tag.oid, Uint8Array.from([40 * first + second, ...rest.flatMap(base128)]))
}

/** Years after 2049 have a form of their own (RFC 5280 §4.1.2.5). */
export function time(at: Date): Der {
  const digits = at.toISOString().replace(/\.\d+|[-:T]/g, '')
  return at.getUTCFullYear() < 2050
    ? der(Tag.utcTime, Buffer.from(digits.slice(2)))
    : der(Tag.generalizedTime, Buffer.from(digits))
}

/** The values that a constructed one holds, each whole. @throws {RangeError} when `bytes` is none */
export function children(bytes: Uint8Array): Uint8Array[] {
  const outer = headOf(bytes, 0)
  const found: Uint8Array[] = []
  for (let at = outer.start; at < outer.end;) {
    const { end } = headOf(bytes, at)
    found.push(bytes.subarray(at, end))
    at = end
  }
  return found
}

/** The content of a value, without tag and length. */
export function contentOf(bytes: Uint8Array): Uint8Array {
  const { start, end } = headOf(bytes, 0)
  return bytes.subarray(start, end)
}

function headOf(bytes: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const first = bytes[at + 1] ?? LONG_FORM
  const more = first > SHORT_LENGTH_MAX ? first & SHORT_LENGTH_MAX : 0
  let length = more === 0 ? first : 0
  for (let i = 0; i < more; i++) length = length * 256 + (bytes[at + 2 + i] ?? NaN)
  const start = at + 2 + more
  if (!(start + length <= bytes.length)) throw new RangeError('these bytes are no DER')
  return { start, end: start + length }
}

function lengthOf(length: number): number[] {
  if (length <= SHORT_LENGTH_MAX) return [length]
  const bytes: number[] = []
  for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
  return [LONG_FORM | bytes.length, ...bytes]
}

function base128(value: number): number[] {
  const bytes = [value % 128]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128))
    bytes.unshift(LONG_FORM | (left % 128))
  return bytes
}

/** Arguments and replies of the labs' network: bytes, or JSON. What crosses is a copy, so that no two servers share an object. */
export type LabValue = Uint8Array | LabJson
export type LabJson =
  null | boolean | number | string | readonly LabJson[] | { readonly [key: string]: LabJson }

const BYTES = 0
const JSON_TEXT = 1
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** One byte for the kind, then the value. */
export function encodeLabValue(value: LabValue): Uint8Array {
  const isBytes = value instanceof Uint8Array
  const body = isBytes ? value : encoder.encode(JSON.stringify(value))
  const bytes = new Uint8Array(1 + body.length)
  bytes[0] = isBytes ? BYTES : JSON_TEXT
  bytes.set(body, 1)
  return bytes
}

/** A fresh value; bytes are a copy. */
export function decodeLabValue(bytes: Uint8Array): LabValue {
  if (bytes[0] === BYTES) return bytes.slice(1)
  return JSON.parse(decoder.decode(bytes.subarray(1))) as LabJson
}

import type { ByteWriter } from './bytes.ts'
import { ProtocolError, RpcError } from './errors.ts'

/** Turns values into bytes and back. `decode` throws on anything that `encode` would not write. */
export interface Codec<T> {
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
  /** Writes what `encode` gives after what the writer holds: for values so many and small that a buffer for each is felt. */
  write?(to: ByteWriter, value: T): void
}

/** Bytes as they are; decoding gives a view. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (bytes) => bytes,
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const NOTHING = new Uint8Array(0)
/** Deeper values are refused; a cycle is deeper than any number. */
const DEPTH_MAX = 200

const json: Codec<unknown> = {
  encode(value) {
    if (value === undefined) return NOTHING
    checkJson(value, '', 0)
    return encoder.encode(JSON.stringify(value))
  },
  decode(bytes) {
    if (bytes.length === 0) return undefined
    try {
      const text = decoder.decode(bytes)
      const isSuspect = text.includes('_proto_') || text.includes('\\u')
      return JSON.parse(text, isSuspect ? refuseProto : undefined) as unknown
    } catch (cause) {
      throw cause instanceof ProtocolError ? cause : new ProtocolError('a body that is not JSON', { cause })
    }
  },
}

/**
 * JSON that gives back what went in: values that would come out otherwise are refused, with the path to them. `undefined`
 * as the whole value is no bytes.
 *
 * Refused: NaN and infinities, -0, undefined inside, functions, symbols, bigint, dates, maps, class instances, arrays with
 * holes, a key `__proto__`, text that is not well-formed, more than 200 levels.
 *
 * `encode` throws {@link RpcError} `BAD_REQUEST`, `decode` throws {@link ProtocolError}.
 */
export function jsonCodec<T>(): Codec<T> {
  return json as Codec<T>
}

/** A reviver, as slow as all of them: only for text in which the key may stand, spelt out or escaped. */
function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new ProtocolError('a key __proto__')
  return value
}

function checkJson(value: unknown, path: string, depth: number): void {
  switch (typeof value) {
    case 'string':
      if (!isWellFormed(value)) refuse(path, 'text with half a surrogate pair')
      return
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value) || Object.is(value, -0))
        refuse(path, Object.is(value, -0) ? '-0' : String(value))
      return
    case 'object':
      if (value === null) return
      if (depth >= DEPTH_MAX) refuse(path, `more than ${String(DEPTH_MAX)} levels, or a cycle`)
      if (Array.isArray(value)) checkArray(value, path, depth)
      else checkObject(value, path, depth)
      return
    default:
      refuse(path, typeof value)
  }
}

function checkArray(values: readonly unknown[], path: string, depth: number): void {
  if (Object.keys(values).length !== values.length) refuse(path, 'an array with holes or with names')
  for (let i = 0; i < values.length; i++) checkJson(values[i], `${path}[${String(i)}]`, depth + 1)
}

function checkObject(value: object, path: string, depth: number): void {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) refuse(path, `a ${className(prototype)}`)
  if (Object.getOwnPropertySymbols(value).length > 0) refuse(path, 'an object with a symbol for a key')
  if ('toJSON' in value && typeof value.toJSON === 'function') refuse(path, 'an object with toJSON')
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__' || !isWellFormed(key)) refuse(path, `the key ${JSON.stringify(key)}`)
    checkJson(inner, path === '' ? key : `${path}.${key}`, depth + 1)
  }
}

function className(prototype: unknown): string {
  const constructor: unknown = (prototype as { constructor?: unknown }).constructor
  return typeof constructor === 'function' ? constructor.name : 'class instance'
}

/** `String.prototype.isWellFormed` of newer engines. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text)
}

function refuse(path: string, what: string): never {
  const where = path === '' ? 'the value' : `the value at ${path}`
  throw new RpcError('BAD_REQUEST', `${where} does not survive JSON: ${what}`)
}

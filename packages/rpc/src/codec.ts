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
    const found = flawOf(value, 0)
    if (found !== null) throw refusal(found)
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

/** What would not survive, and where: the path grows on the way out, as nearly always there is nothing to tell. */
interface Flaw {
  readonly what: string
  readonly path: string
}

function flawOf(value: unknown, depth: number): Flaw | null {
  switch (typeof value) {
    case 'string':
      return isWellFormed(value) ? null : flaw('text with half a surrogate pair')
    case 'boolean':
      return null
    case 'number':
      if (Number.isFinite(value) && !Object.is(value, -0)) return null
      return flaw(Object.is(value, -0) ? '-0' : String(value))
    case 'object':
      if (value === null) return null
      if (depth >= DEPTH_MAX) return flaw(`more than ${String(DEPTH_MAX)} levels, or a cycle`)
      return Array.isArray(value) ? flawOfArray(value, depth) : flawOfObject(value, depth)
    default:
      return flaw(typeof value)
  }
}

function flawOfArray(values: readonly unknown[], depth: number): Flaw | null {
  if (Object.keys(values).length !== values.length) return flaw('an array with holes or with names')
  for (let i = 0; i < values.length; i++) {
    const inner = flawOf(values[i], depth + 1)
    if (inner !== null) return within(`[${String(i)}]`, inner)
  }
  return null
}

function flawOfObject(value: object, depth: number): Flaw | null {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return flaw(`a ${className(prototype)}`)
  if (Object.getOwnPropertySymbols(value).length > 0) return flaw('an object with a symbol for a key')
  if ('toJSON' in value && typeof value.toJSON === 'function') return flaw('an object with toJSON')
  for (const key of Object.keys(value)) {
    if (key === '__proto__' || !isWellFormed(key)) return flaw(`the key ${JSON.stringify(key)}`)
    const inner = flawOf((value as Record<string, unknown>)[key], depth + 1)
    if (inner !== null) return within(key, inner)
  }
  return null
}

function flaw(what: string): Flaw {
  return { what, path: '' }
}

function within(place: string, { what, path }: Flaw): Flaw {
  return { what, path: path === '' || path.startsWith('[') ? place + path : `${place}.${path}` }
}

function className(prototype: unknown): string {
  const constructor: unknown = (prototype as { constructor?: unknown }).constructor
  return typeof constructor === 'function' ? constructor.name : 'class instance'
}

/** `String.prototype.isWellFormed` of newer engines. */
function isWellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at++)
    if ((text.charCodeAt(at) & 0xf800) === 0xd800) return !/\p{Surrogate}/u.test(text)
  return true
}

function refusal({ what, path }: Flaw): RpcError {
  const where = path === '' ? 'the value' : `the value at ${path}`
  return new RpcError('BAD_REQUEST', `${where} does not survive JSON: ${what}`)
}

/** Ranges of keys as a user gives them. */
import { KvError } from './errors.ts'
import { keyBytes, type TextOrBytes } from './text.ts'

/**
 * One key; all that begin with a prefix (an empty one: all there are); or from a first key on up to, and without, another. Order is
 * that of the bytes.
 */
export type KeyRange =
  | { readonly key: TextOrBytes }
  | { readonly prefix: TextOrBytes }
  | { readonly from?: TextOrBytes; readonly to?: TextOrBytes }

/** From `from` on, without `to`; no byte for no bound. */
export interface Bounds {
  readonly from: Uint8Array
  readonly to: Uint8Array
}

const NOTHING = new Uint8Array(0)

/** @throws {KvError} `BAD_KEY`, `BAD_RANGE` */
export function boundsOf(range: KeyRange): Bounds {
  if (['key', 'prefix', 'from'].filter((name) => name in range).length > 1)
    throw new KvError('BAD_RANGE', 'a range is a key, or a prefix, or from and to')
  if ('key' in range) {
    const from = keyBytes(range.key)
    return { from, to: followerOf(from) }
  }
  if ('prefix' in range) {
    const from = boundBytes(range.prefix)
    return { from, to: endOfPrefix(from) }
  }
  return { from: boundBytes(range.from ?? NOTHING), to: boundBytes(range.to ?? NOTHING) }
}

/** The first key after this one. */
export function followerOf(key: Uint8Array): Uint8Array {
  const follower = new Uint8Array(key.length + 1)
  follower.set(key)
  return follower
}

/** A bound may be one byte longer than a key: what comes right after one. */
function boundBytes(bound: TextOrBytes): Uint8Array {
  if (bound.length === 0) return NOTHING
  if (typeof bound === 'string' || bound.at(-1) !== 0 || bound.length === 1) return keyBytes(bound)
  keyBytes(bound.subarray(0, -1))
  return bound
}

/** The first key after all that begin with `prefix`; no byte when there is none. */
function endOfPrefix(prefix: Uint8Array): Uint8Array {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  const end = prefix.slice(0, length)
  if (length > 0) end[length - 1] = (end[length - 1] as number) + 1
  return end
}

/** The scenario `kv-all`: what its clients do, and what comes back, as texts. JSON can hold all of it. */
import type { Random } from '@lab/rpc'
import type { TxnCondition, TxnOperation } from '../../txn-request.ts'

/** Keys and values are texts. Every value that is written is another one, so that it tells who wrote it. */
export type EveryOp =
  | { readonly op: 'get' | 'delete'; readonly key: string }
  | { readonly op: 'put'; readonly key: string; readonly value: string; readonly ttl?: number }
  | { readonly op: 'append'; readonly key: string; readonly value: string }
  /** Reads the key, then sets it if nobody has changed it since. */
  | { readonly op: 'cas'; readonly key: string; readonly value: string }
  | { readonly op: 'scan'; readonly limit: number }
  | TextTxn
  /** Everything, from the page of a scan on, from now on, or from the beginning; for so long. */
  | { readonly op: 'watch'; readonly from: 'scan' | 'now' | 'start'; readonly forMs: number }
  /** Leadership moves, to whoever has most of the log or to this member. */
  | { readonly op: 'transfer'; readonly to: string | null }
  /** A voter loses its vote, or all have theirs again. */
  | { readonly op: 'demote'; readonly node: string }
  | { readonly op: 'promote' }

export interface TextTxn {
  readonly op: 'txn'
  readonly if: readonly (TxnCondition & { readonly key: string })[]
  readonly then: readonly (TxnOperation & { readonly key: string })[]
  readonly else: readonly (TxnOperation & { readonly key: string })[]
}

/** A key as it was found. */
export interface TextEntry {
  readonly value: string
  readonly version: number
  readonly changed: number
}

/** A change that a watch told, and when. */
export interface Told {
  readonly type: string
  readonly revision: number
  readonly version: number
  readonly key: string
  readonly value: string
  /** Virtual time. */
  readonly at: number
}

/** `revision` is the store's in all of them. */
export type EveryResult =
  | { readonly revision: number; readonly entry: TextEntry | null }
  | { readonly revision: number; readonly version: number }
  | { readonly revision: number; readonly deleted: boolean }
  | { readonly revision: number; readonly swapped: boolean; readonly found: TextEntry | null }
  | {
      readonly revision: number
      readonly page: readonly (readonly [string, TextEntry])[]
      readonly more: boolean
    }
  | { readonly revision: number; readonly succeeded: boolean; readonly results: readonly TxnText[] }
  /** Changes after `after` (null: not known), up to `revision`. */
  | { readonly revision: number; readonly after: number | null; readonly told: readonly Told[] }
  | null
/** Of a `get`, what it found; of a `delete` that found nothing, null; of other changes, the key's new version. */
export type TxnText = { readonly got: TextEntry | null } | number | null

/** Keys that only single operations touch, which WGL can judge; and keys that everything touches. */
const PLAIN_KEYS = ['a1', 'a2', 'a3']
const SHARED_KEYS = ['s1', 's2', 's3', 's4']
export const isPlain = (key: string): boolean => PLAIN_KEYS.includes(key)

/** How often each kind comes, in so many of a hundred. */
const SHARES = { get: 20, put: 18, append: 12, delete: 7, cas: 9, scan: 9, txn: 14, watch: 6 } as const

export function drawEvery(
  random: Random,
  place: { readonly client: string; readonly count: number },
): EveryOp {
  const key = oneOf([...PLAIN_KEYS, ...SHARED_KEYS], random)
  const value = `${place.client}.${String(place.count)};`
  let dice = random.integer(0, 99)
  for (const [op, share] of Object.entries(SHARES)) {
    if (dice < share) return drawKind(op as keyof typeof SHARES, { key, value, random })
    dice -= share
  }
  return drawManagement(random)
}

function drawKind(
  op: keyof typeof SHARES,
  { key, value, random }: { readonly key: string; readonly value: string; readonly random: Random },
): EveryOp {
  switch (op) {
    case 'put':
      return isPlain(key) || random.next() < 0.6
        ? { op, key, value }
        : { op, key, value, ttl: random.integer(1, 800) }
    case 'scan':
      return { op, limit: random.integer(1, 8) }
    case 'txn':
      return drawTxn(value, random)
    case 'watch':
      return {
        op,
        from: oneOf(['scan', 'scan', 'now', 'start'] as const, random),
        forMs: random.integer(50, 1200),
      }
    case 'append':
    case 'cas':
      return { op, key, value }
    case 'get':
    case 'delete':
      return { op, key }
  }
}

function drawTxn(value: string, random: Random): TextTxn {
  const branch = (mark: string): (TxnOperation & { readonly key: string })[] =>
    SHARED_KEYS.filter(() => random.next() < 0.5).map((key) => {
      const op = oneOf(['get', 'put', 'append', 'delete'] as const, random)
      return op === 'put' || op === 'append' ? { op, key, value: `${mark}${key}.${value}` } : { op, key }
    })
  const conditions = SHARED_KEYS.filter(() => random.next() < 0.25).map((key) =>
    random.next() < 0.6
      ? { key, exists: random.next() < 0.5 }
      : { key, version: random.integer(0, 4), is: oneOf(['less', 'greater', 'equal'] as const, random) },
  )
  return { op: 'txn', if: conditions, then: branch('t'), else: branch('e') }
}

function drawManagement(random: Random): EveryOp {
  const node = `n${String(random.integer(1, 3))}`
  const dice = random.next()
  if (dice < 0.4) return { op: 'transfer', to: random.next() < 0.5 ? null : node }
  return dice < 0.7 ? { op: 'demote', node } : { op: 'promote' }
}

function oneOf<T>(things: readonly [T, ...T[]] | readonly T[], random: Random): T {
  return things[random.integer(0, things.length - 1)] as T
}

/** What the tests of storage are written with. */
import { EntryKind, payloadOf, type Entry } from '../../entry.ts'
import { makeEntry } from '../../record.ts'
import { StorageError, type Recovered, type Storage } from '../../storage.ts'
import type { HardState, Index, SnapshotMeta, Term } from '../../types.ts'
import type { StorageAbility, StoragePlace } from '../storage-suite.ts'

export interface StorageTest {
  readonly title: string
  readonly needs?: StorageAbility
  readonly run: (place: StoragePlace) => Promise<void>
}

export const OWNER = { clusterId: 'suite', nodeId: 'n1' }

/** An entry whose payload tells index and term, and is as long as wanted. */
export function entry(index: Index, term: Term, options: { bytes?: number; kind?: EntryKind } = {}): Entry {
  const payload = new Uint8Array(options.bytes ?? 16)
  for (let i = 0; i < payload.length; i++) payload[i] = (index * 31 + term * 7 + i) % 251
  return makeEntry({
    group: 0,
    kind: options.kind ?? EntryKind.command,
    index,
    term,
    time: 1000 + index,
    payload,
  })
}

/** Entries from `first` to `last` of one term. */
export function entries(first: Index, last: Index, term: Term, bytes?: number): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, i) =>
    entry(first + i, term, bytes === undefined ? {} : { bytes }),
  )
}

export async function append(
  storage: Storage,
  written: readonly Entry[],
  hardState: HardState | null = null,
): Promise<void> {
  await storage.write({ entries: written, hardState })
}

/** Opens a storage on the place as {@link OWNER}. */
export async function openOn(place: StoragePlace): Promise<{ storage: Storage; recovered: Recovered }> {
  const storage = place.storage()
  return { storage, recovered: await storage.open(OWNER) }
}

/** Closes it and opens another on the same place. */
export async function restart(
  place: StoragePlace,
  storage: Storage,
): Promise<{ storage: Storage; recovered: Recovered }> {
  await storage.close()
  return openOn(place)
}

export function metaOf(index: Index, term: Term): SnapshotMeta {
  return { index, term, membership: Uint8Array.of(index % 256, term % 256, 7) }
}

/** Bytes that differ from position to position. */
export function stateOf(index: Index, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (index * 13 + i * 7 + (i >>> 8)) % 256)
}

export async function takeSnapshot(
  storage: Storage,
  meta: SnapshotMeta,
  state = stateOf(meta.index, 100),
): Promise<void> {
  const writer = await storage.createSnapshot(meta)
  await writer.write(state)
  await writer.commit()
}

/** The newest snapshot whole, or null. */
export async function snapshotOf(
  storage: Storage,
): Promise<{ meta: SnapshotMeta; state: Uint8Array } | null> {
  const reader = await storage.openSnapshot()
  if (reader === null) return null
  const state = await reader.read(0, reader.size)
  await reader.close()
  return { meta: reader.meta, state }
}

/** All that can be read from `first` on, as `index@term`, each checked against what {@link entry} made. */
export async function logOf(storage: Storage, first: Index, last: Index): Promise<string[]> {
  const found: Entry[] = []
  while (first <= last) {
    const part = await storage.read(first, last, 10_000)
    if (part.length === 0) break
    found.push(...part)
    first += part.length
  }
  return found.map(shortOf)
}

export function shortOf(found: Entry): string {
  const wanted = entry(found.index, found.term, { bytes: payloadOf(found).length, kind: found.kind })
  equal(payloadOf(found), payloadOf(wanted), `payload of entry ${String(found.index)}`)
  equal(found.time, wanted.time, `log time of entry ${String(found.index)}`)
  return `${String(found.index)}@${String(found.term)}`
}

/** `index@term` for indexes from `first` to `last`. */
export function shorts(first: Index, last: Index, term: Term): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => `${String(first + i)}@${String(term)}`)
}

/** @throws when the two differ, byte by byte and field by field */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [found, wanted] = [show(actual), show(expected)]
  if (found !== wanted) throw new Error(`${what}: expected ${wanted}, found ${found}`)
}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`${what} should hold`)
}

/** @throws when `work` does not reject with a {@link StorageError} of this code */
export async function refused(
  code: StorageError['code'],
  work: () => Promise<unknown>,
  what: string,
): Promise<StorageError> {
  try {
    await work()
  } catch (thrown) {
    if (thrown instanceof StorageError && thrown.code === code) return thrown
    throw new Error(`${what}: expected StorageError ${code}, found ${String(thrown)}`, { cause: thrown })
  }
  throw new Error(`${what}: expected StorageError ${code}, and it resolved`)
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => {
    if (each instanceof Uint8Array) return each.length > 64 ? digestOf(each) : Array.from(each)
    return each instanceof Map ? [...(each as Map<unknown, unknown>)] : each
  })
}

function digestOf(bytes: Uint8Array): string {
  let sum = 7
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) | 0
  return `${String(bytes.length)} bytes, sum ${String(sum)}`
}

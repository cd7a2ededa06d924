/** Judges what a watch told against what the log says: nothing lost, doubled, out of order or ahead of its time. */
import { ByteReader } from '@lab/rpc'
import { decodeEvents, type WatchEvent } from '../src/events.ts'
import type { KvStore } from '../src/store.ts'

/** Everything that a store remembers. */
export function changesOf(store: KvStore): WatchEvent[] {
  const events: WatchEvent[] = []
  store.changes(store.firstRevision, (bytes, start, end) => {
    events.push(...decodeEvents(new ByteReader(bytes.slice(start, end))))
    return true
  })
  return events
}

/** @throws what is wrong first, with its revision */
export function checkWatch(
  told: readonly WatchEvent[],
  truth: readonly WatchEvent[],
  isWanted: (event: WatchEvent) => boolean,
): void {
  const expected = truth.filter(isWanted)
  const newest = truth.at(-1)?.revision ?? 0
  let last = 0
  for (const [at, event] of told.entries()) {
    const { revision } = event
    if (revision > newest) throw new Error(`revision ${revision} is told, but the newest is ${newest}`)
    if (revision === last) throw new Error(`revision ${revision} is told twice`)
    if (revision < last) throw new Error(`revision ${revision} is told after ${last}`)
    const wanted = expected[at]
    if (wanted !== undefined && wanted.revision < revision)
      throw new Error(`revision ${wanted.revision} is not told`)
    if (JSON.stringify(wanted) !== JSON.stringify(event))
      throw new Error(`revision ${revision} is told otherwise than it was`)
    last = revision
  }
  const missing = expected[told.length]
  if (missing !== undefined) throw new Error(`revision ${missing.revision} is not told`)
}

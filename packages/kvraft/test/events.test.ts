import { ByteReader, ProtocolError } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkEvent, decodeEvent } from '../src/events.ts'
import { Cursor } from '../src/memory/cursor.ts'
import { KvStore } from '../src/store.ts'
import { bytes } from './arbitraries.ts'
import { apply } from './typed-store.ts'

/** Every other one begins as events do. */
const anyBytes = fc.oneof(
  bytes(0, 12),
  fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.nat(300), fc.nat(2), fc.nat(4), bytes(0, 6))
    .map(([kind, revision, version, keyLength, rest]) =>
      Uint8Array.of(kind, ...varint(revision), version, keyLength, ...rest),
    ),
)

test('an event is checked for all that decoding it refuses, and for nothing else', () => {
  fc.assert(
    fc.property(anyBytes, (event) => {
      expect(outcome(() => checkEvent(new Cursor().begin(event, 0, event.length)))).toEqual(
        outcome(() => decodeEvent(new ByteReader(event)).revision),
      )
    }),
    { numRuns: 2000 },
  )
})

test('the events of a snapshot are read and forgotten as before, whether their bytes were kept or copied', async () => {
  const first = new KvStore({ historyBytes: 300_000 })
  change(first, 0, 2000)
  const snapshot = Buffer.concat(Array.from(first.snapshot(), (chunk) => chunk.slice()))
  change(first, 0, 600)
  for (const size of [10_000, 70_000, 100_000, snapshot.length]) {
    const second = new KvStore()
    await second.restore(chunksOf(snapshot, size))
    change(second, 0, 300)
    // What is drawn from now on shares pages with the history.
    const drawn = second.snapshot()
    change(second, 300, 600)
    expect([...drawn].length).toBeGreaterThan(0)
    expect(changesOf(second), `chunks of ${String(size)}`).toEqual(changesOf(first))
  }
})

function change(store: KvStore, from: number, to: number): void {
  for (let n = from; n < to; n++)
    apply(store, { op: 'put', key: Uint8Array.of(n % 250), value: new Uint8Array(100 + (n % 900)).fill(n) })
}

function changesOf(store: KvStore): string[] {
  const changes: string[] = []
  store.changes(store.firstRevision, (all, start, end) => {
    changes.push(Buffer.from(all.subarray(start, end)).toString('hex'))
    return true
  })
  return changes
}

async function* chunksOf(all: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < all.length; at += size) yield await Promise.resolve(all.slice(at, at + size))
}

function outcome(work: () => number): number | string {
  try {
    return work()
  } catch (thrown) {
    if (thrown instanceof ProtocolError) return 'refused'
    throw thrown
  }
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, Math.floor(value / 0x80)]
}

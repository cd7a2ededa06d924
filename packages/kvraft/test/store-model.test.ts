/** The store beside its naive twin: whatever is applied, asked, and snapshotted in between. */
import { checkStateMachine } from '@lab/raft/testing'
import { ByteReader, bytesCodec } from '@lab/rpc'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandCodec, type Command } from '../src/commands.ts'
import { decodeEvents, type WatchEvent } from '../src/events.ts'
import { KvStore } from '../src/store.ts'
import { anyCommand, anyKey, anyScan } from './arbitraries.ts'
import { Model } from './model.ts'
import { apply, query } from './typed-store.ts'

const anyStep = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      ...{ type: fc.constant('apply' as const), command: anyCommand },
      pause: fc.integer({ min: 0, max: 30 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('scan' as const), scan: anyScan }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('snapshot' as const) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('draw' as const) }) },
)

test('any commands, scans and times give what the naive twin gives, and snapshots of any moment restore to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 80 }), async (steps) => {
      const store = new KvStore({ historyBytes: 1_000_000 })
      const model = new Model()
      let time = 0
      let frozen = { size: 0, revision: 0, entries: model.sorted(), events: [...model.events] }
      let drawing = store.snapshot()[Symbol.iterator]()
      let chunks: Uint8Array[] = []
      const draw = (): boolean => {
        const next = drawing.next()
        if (next.done !== true) chunks.push(next.value.slice())
        return next.done !== true
      }
      for (const step of steps) {
        if (step.type === 'apply') {
          time += step.pause
          expect(apply(store, step.command, time)).toEqual(model.apply(step.command, time))
        } else if (step.type === 'scan') expect(query(store, step.scan)).toEqual(model.scan(step.scan))
        else if (step.type === 'draw') draw()
        else {
          drawing = store.snapshot()[Symbol.iterator]()
          chunks = []
          const { revision } = model
          frozen = {
            ...{ size: model.entries.size, revision },
            ...{ entries: model.sorted(), events: [...model.events] },
          }
        }
      }
      while (draw());
      expect(contentsOf(store)).toEqual({
        ...{ size: model.entries.size, revision: model.revision },
        ...{ entries: model.sorted(), events: model.events },
      })
      const restored = new KvStore()
      await restored.restore(pieces(chunks))
      expect(contentsOf(restored)).toEqual(frozen)
    }),
    { numRuns: 300 },
  )
})

test('it keeps the contract of a state machine: replicas, snapshots and restored ones agree byte for byte', async () => {
  const commands = fc
    .sample(anyCommand, { numRuns: 60, seed: 5 })
    .map((command) => commandCodec.encode(command))
  await checkStateMachine({ make: () => new KvStore({ historyBytes: 700 }), commands, codec: bytesCodec })
})

test('a key asked for is found as the twin finds it', () => {
  fc.assert(
    fc.property(fc.array(anyCommand, { maxLength: 30 }), anyKey, (commands: Command[], key) => {
      const store = new KvStore()
      const model = new Model()
      commands.forEach((command, at) => {
        apply(store, command, at)
        model.apply(command, at)
      })
      expect(store.get(key)).toEqual(model.get(key))
      expect(query(store, { op: 'get', key })).toEqual({ revision: model.revision, entry: model.get(key) })
    }),
    { numRuns: 100 },
  )
})

function contentsOf(store: KvStore): object {
  const everything = { from: new Uint8Array(0), to: new Uint8Array(0), limit: 4096, keysOnly: false }
  const { entries, revision } = store.scan({ op: 'scan', ...everything })
  const events: WatchEvent[] = []
  store.changes(store.firstRevision, (bytes, start, end) => {
    events.push(...decodeEvents(new ByteReader(bytes, start, end)))
    return true
  })
  return { size: store.size, revision, entries, events }
}

async function* pieces(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks
}

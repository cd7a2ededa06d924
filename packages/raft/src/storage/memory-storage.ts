/**
 * Storage in memory, for tests, simulation and clusters that may forget: what a file would keep, this object keeps.
 * Closed and opened again it holds what was written, as a disk does for a server that restarts.
 */
import { assert, sleep, systemRandom, type Clock, type Random } from '@lab/rpc'
import { EntryKind, recordBytes, type Entry } from '../entry.ts'
import { StorageError, type Identity, type Recovered, type Storage, type StorageWrite } from '../storage.ts'
import type { HardState, Index, NodeId } from '../types.ts'
import { entriesToAppend } from './entries-to-append.ts'
import { incarnationFrom } from './incarnation.ts'
import { memorySnapshotReader, memorySnapshotWriter, type MemorySnapshot } from './memory-snapshot.ts'
import { TermRuns } from './term-runs.ts'

export interface MemoryStorageOptions {
  /** With a clock every write takes time, as a disk would; without one it is durable in the next microtask. */
  readonly clock?: Clock
  /** Draws incarnations and how long a write takes. */
  readonly random?: Random
  /** How long a write takes, uniform between the two, in milliseconds; 0.5 to 2 by default. */
  readonly syncMs?: readonly [min: number, max: number]
}

export interface MemoryStorage extends Storage {
  /** As if the process were killed: what is in flight is lost and fails with `CLOSED`, and `open` works again at once. */
  crash(): void
}

export function memoryStorage(options: MemoryStorageOptions = {}): MemoryStorage {
  const random = options.random ?? systemRandom
  const [syncMsMin, syncMsMax] = options.syncMs ?? [0.5, 2]

  let identity: Identity | null = null
  let hardState: HardState = { currentTerm: 0, votedFor: '' }
  let entries: Entry[] = []
  let terms = new TermRuns()
  let snapshot: MemorySnapshot | null = null
  const peers = new Map<NodeId, string>()
  let fresh = true

  let isOpen = false
  let snapshotUnderWay = false
  /** Counts crashes: work begun before one must not take effect after it. */
  let life = 0
  /** The last piece of work begun; the next waits for it, as a disk does. */
  let busy: Promise<void> = Promise.resolve()

  function checkOpen(): void {
    if (!isOpen) throw new StorageError('CLOSED', 'the storage is not open')
  }

  /** Does `change` once a disk would have it safe, unless a crash comes first. */
  function durably(change: () => void): Promise<void> {
    const begunIn = life
    const done = busy.then(async () => {
      if (options.clock !== undefined)
        await sleep(options.clock, syncMsMin + random.next() * (syncMsMax - syncMsMin))
      if (begunIn !== life) throw new StorageError('CLOSED', 'the storage crashed before this was durable')
      change()
    })
    busy = done.catch(() => undefined)
    return done
  }

  function append(appended: readonly Entry[]): void {
    const [first] = appended
    if (first === undefined) return
    entries.length = first.index - terms.start.index - 1
    for (const entry of appended) {
      terms.put(entry.index, entry.term)
      entries.push(entry)
    }
  }

  function install(next: MemorySnapshot): void {
    if (snapshot !== null && snapshot.meta.index >= next.meta.index) return
    snapshot = next
    fresh = false
    const { index, term } = next.meta
    if (terms.holds(index, term)) return
    terms = new TermRuns({ index, term })
    entries = []
  }

  function recovered(whose: Identity, wasFresh: boolean): Recovered {
    return {
      identity: whose,
      fresh: wasFresh,
      hardState,
      snapshot: snapshot?.meta ?? null,
      firstIndex: terms.start.index + 1,
      lastIndex: terms.lastIndex,
      terms: terms.list(),
      configurations: entries.filter((entry) => entry.kind === EntryKind.configuration),
      lastTime: entries.at(-1)?.time ?? 0,
      peers: new Map(peers),
      notes: [],
    }
  }

  return {
    // The interface promises rejections, so everything that checks is async.
    async open(owner) {
      if (isOpen) throw new StorageError('LOCKED', 'this memory storage is open already: close it first')
      identity ??= { ...owner, incarnation: incarnationFrom(random) }
      if (identity.clusterId !== owner.clusterId)
        throw new StorageError(
          'WRONG_CLUSTER',
          `this memory storage belongs to cluster ${identity.clusterId}`,
        )
      if (identity.nodeId !== owner.nodeId)
        throw new StorageError('WRONG_NODE', `this memory storage belongs to node ${identity.nodeId}`)
      isOpen = true
      snapshotUnderWay = false
      await busy
      return recovered(identity, fresh)
    },
    async write(write: StorageWrite) {
      checkOpen()
      await durably(() => {
        append(entriesToAppend(write.entries, terms))
        if (write.hardState !== null) hardState = write.hardState
        fresh = false
      })
    },
    async read(first, last, bytesMax) {
      checkOpen()
      return Promise.resolve(
        first <= terms.start.index
          ? []
          : upToBytes(entries, first - terms.start.index - 1, last - terms.start.index, bytesMax),
      )
    },
    async compact(index: Index) {
      checkOpen()
      assert(index <= (snapshot?.meta.index ?? 0), 'only what a snapshot holds can be forgotten')
      if (index <= terms.start.index) return Promise.resolve()
      entries.splice(0, index - terms.start.index)
      terms.removeTo(index)
    },
    async createSnapshot(meta) {
      checkOpen()
      assert(!snapshotUnderWay, 'one snapshot is written at a time')
      snapshotUnderWay = true
      const writer = memorySnapshotWriter(
        meta,
        (next) => {
          checkOpen()
          return durably(() => {
            install(next)
          })
        },
        () => {
          snapshotUnderWay = false
        },
      )
      return Promise.resolve(writer)
    },
    async openSnapshot() {
      checkOpen()
      return Promise.resolve(snapshot === null ? null : memorySnapshotReader(snapshot))
    },
    async rememberPeer(id, incarnation) {
      checkOpen()
      await durably(() => peers.set(id, incarnation))
    },
    async close() {
      const closing = life
      await busy
      if (closing === life) isOpen = false
    },
    crash() {
      life++
      isOpen = false
      busy = Promise.resolve()
    },
  }
}

/** Entries at positions [from, to), cut after the one that passes `bytesMax`; always one when there is one. */
function upToBytes(entries: readonly Entry[], from: number, to: number, bytesMax: number): Entry[] {
  let end = from
  let bytes = 0
  while (end < to && end < entries.length && (bytes < bytesMax || end === from)) {
    bytes += recordBytes(entries[end] as Entry)
    end++
  }
  return entries.slice(from, end)
}

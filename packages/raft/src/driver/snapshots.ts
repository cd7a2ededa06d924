/**
 * Snapshots in both directions (§7): this server's own, made aside while commands go on; chunks of them for followers that are
 * far behind; and one that a leader sends, which replaces everything here.
 */
import { toError, type Clock, type Milliseconds } from '@lab/rpc'
import type { Raft } from '../core/raft.ts'
import type { Input, Ready, SnapshotChunk } from '../core/ready.ts'
import type { Applier } from '../rsm/applier.ts'
import type { ReplicatedMachine } from '../rsm/replicated-machine.ts'
import type { SnapshotReader, SnapshotWriter, Storage } from '../storage.ts'
import { StorageError } from '../storage.ts'
import type { Index, NodeId, SnapshotMeta } from '../types.ts'
import { TrailingLog } from './trailing-log.ts'

const RESTORE_CHUNK_BYTES = 256 * 1024
/** A machine that yields its chunks without a pause would hold the event loop. */
const SLICE_MS = 5

export interface SnapshotsOptions {
  readonly clock: Clock
  readonly storage: Storage
  readonly applier: Applier
  readonly core: Pick<Raft, 'snapshotMetaAt'>
  readonly machine: ReplicatedMachine
  /** A snapshot is made after so many bytes of log; Infinity for never. */
  readonly everyBytes: number
  /** Of log kept behind a snapshot, for followers that are a little behind. */
  readonly trailingBytes: number
  readonly input: (input: Input) => void
  readonly onTaken: (meta: SnapshotMeta, bytes: number, why: string) => void
  /** A leader's snapshot has taken the place of everything here. */
  readonly onInstalled: (meta: SnapshotMeta, bytes: number) => void
  readonly onFailure: (error: Error) => void
}

type SnapshotRead = Ready['snapshotReads'][number]

export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #trailing: TrailingLog
  /** The snapshot being sent to a follower, kept open from chunk to chunk. */
  readonly #readers = new Map<NodeId, SnapshotReader>()
  /** The one being received. */
  #incoming: SnapshotWriter | null = null
  #taking: Promise<SnapshotMeta> | null = null
  #bytesSinceLast = 0
  #newest: Index

  constructor(options: SnapshotsOptions, newest: Index) {
    this.#options = options
    this.#trailing = new TrailingLog(options.trailingBytes)
    this.#newest = newest
  }

  /** An entry of `bytes` has been applied. */
  applied(index: Index, bytes: number): void {
    this.#trailing.add(index, bytes)
    this.#bytesSinceLast += bytes
  }

  /** Makes a snapshot when the log since the last one has grown enough. To be called between two commands. */
  takeIfDue(): void {
    const { machine, everyBytes, onFailure } = this.#options
    if (this.#bytesSinceLast < everyBytes || this.#taking !== null || this.#incoming !== null) return
    if (!machine.canSnapshot) return
    this.take(`${this.#bytesSinceLast} bytes of log`).catch(onFailure)
  }

  /** Makes one now, or joins the one being made. @returns what it stands for @throws {StorageError} */
  take(why: string): Promise<SnapshotMeta> {
    this.#taking ??= this.#take(why).finally(() => {
      this.#taking = null
    })
    return this.#taking
  }

  /** `Ready.snapshotReads`. */
  serve(read: SnapshotRead): void {
    this.#read(read).then(
      (chunk) => this.#options.input({ type: 'snapshotRead', to: read.to, chunk }),
      this.#options.onFailure,
    )
  }

  /** `Ready.snapshotWrite`: the last chunk is followed by the restore, in line with the commands. */
  receive(chunk: SnapshotChunk): void {
    const { applier, onFailure } = this.#options
    if (chunk.done) applier.exclusive(() => this.#install(chunk))
    else this.#write(chunk).then(() => this.#written(chunk, true), onFailure)
  }

  /** Lets go of what is open. */
  async close(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.close()
    this.#readers.clear()
    await this.#incoming?.abort().catch(() => undefined)
    this.#incoming = null
    await this.#taking?.catch(() => undefined)
  }

  async #take(why: string): Promise<SnapshotMeta> {
    const { applier, core, machine, storage, input, onTaken } = this.#options
    const meta = core.snapshotMetaAt(applier.lastApplied)
    if (meta.index <= this.#newest) return meta
    // Drawn before the first await: the state belongs to `meta.index`.
    const chunks = machine.snapshot()
    this.#bytesSinceLast = 0
    const bytes = await this.#store(await storage.createSnapshot(meta), chunks)
    if (meta.index <= this.#newest) return meta // A leader's newer one came first.
    this.#newest = meta.index
    const compactTo = this.#trailing.cut(meta.index)
    input({ type: 'compacted', meta, compactTo })
    if (compactTo > 0) await storage.compact(compactTo)
    onTaken(meta, bytes, why)
    return meta
  }

  async #store(writer: SnapshotWriter, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes = 0
    try {
      const breathe = breather(this.#options.clock)
      for await (const chunk of chunks) {
        await writer.write(chunk)
        bytes += chunk.length
        await breathe()
      }
      await writer.commit()
      return bytes
    } catch (thrown) {
      await writer.abort().catch(() => undefined)
      throw toError(thrown)
    }
  }

  async #read({ to, index, offset, bytesMax }: SnapshotRead): Promise<SnapshotChunk | null> {
    const reader = await this.#readerFor(to, index)
    if (reader === null) return null
    const { meta, size, crc } = reader
    // A newer snapshot begins at its beginning.
    const at = meta.index === index ? Math.min(offset, size) : 0
    const data = await reader.read(at, Math.min(bytesMax, size - at))
    const done = at + data.length === size
    if (done) await this.#closeReader(to)
    return { meta, size, crc, offset: at, data, done }
  }

  async #readerFor(to: NodeId, index: Index): Promise<SnapshotReader | null> {
    const open = this.#readers.get(to)
    if (open?.meta.index === index) return open
    await this.#closeReader(to)
    const reader = await this.#options.storage.openSnapshot()
    if (reader !== null) this.#readers.set(to, reader)
    return reader
  }

  async #closeReader(to: NodeId): Promise<void> {
    const reader = this.#readers.get(to)
    this.#readers.delete(to)
    await reader?.close()
  }

  async #write({ meta, offset, data }: SnapshotChunk): Promise<void> {
    if (offset === 0) {
      await this.#incoming?.abort()
      // The storage makes one at a time; our own is of no use to anybody now, but must be out of the way.
      await this.#taking?.catch(() => undefined)
      this.#incoming = await this.#options.storage.createSnapshot(meta)
    }
    await this.#incoming?.write(data)
  }

  async #install(chunk: SnapshotChunk): Promise<void> {
    await this.#write(chunk)
    const writer = this.#incoming
    this.#incoming = null
    try {
      await writer?.commit({ size: chunk.size, crc: chunk.crc })
    } catch (thrown) {
      if (!(thrown instanceof StorageError) || thrown.code !== 'CORRUPT') throw thrown
      this.#written(chunk, false) // Damaged on the way: the leader sends it again.
      return
    }
    await this.restore()
    this.#newest = chunk.meta.index
    this.#bytesSinceLast = 0
    this.#trailing.reset()
    this.#options.onInstalled(chunk.meta, chunk.size)
    this.#written(chunk, true)
  }

  /** Puts the newest committed snapshot into the state machine. Runs alone: at start, or as the applier's job. */
  async restore(): Promise<void> {
    const { applier, machine, storage, clock } = this.#options
    const reader = await storage.openSnapshot()
    if (reader === null) return
    try {
      await machine.restore(chunksOf(reader, breather(clock)))
      applier.restored(reader.meta.index)
    } finally {
      await reader.close()
    }
  }

  #written({ meta, offset, done }: SnapshotChunk, ok: boolean): void {
    this.#options.input({ type: 'snapshotWritten', index: meta.index, offset, done, ok })
  }
}

async function* chunksOf(
  reader: SnapshotReader,
  breathe: () => Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < reader.size;) {
    const chunk = await reader.read(offset, Math.min(RESTORE_CHUNK_BYTES, reader.size - offset))
    offset += chunk.length
    yield chunk
    await breathe()
  }
}

/** Gives the event loop a turn whenever the last one is longer ago than a slice. */
function breather(clock: Clock): () => Promise<void> {
  let sliceEnd: Milliseconds = clock.now() + SLICE_MS
  return async () => {
    if (clock.now() < sliceEnd) return
    await new Promise<void>((resolve) => {
      clock.setTimer(0, resolve, { keepAlive: true })
    })
    sliceEnd = clock.now() + SLICE_MS
  }
}

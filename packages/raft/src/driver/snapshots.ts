/**
 * Snapshots in both directions (§7): this server's own, made aside while commands go on; chunks of them for followers that are
 * far behind; and one that a leader sends, which replaces everything here.
 */
import { toError, type Clock, type Milliseconds } from '@lab/rpc'
import type { Raft } from '../core/raft.ts'
import type { Input, SnapshotChunk } from '../core/ready.ts'
import type { Applier } from '../rsm/applier.ts'
import type { ReplicatedMachine } from '../rsm/replicated-machine.ts'
import { RaftError } from '../errors.ts'
import type { SnapshotReader, Storage } from '../storage.ts'
import type { Index, NodeId, SnapshotMeta } from '../types.ts'
import { SnapshotReceiver } from './snapshot-receiver.ts'
import { SnapshotSender, type SnapshotRead } from './snapshot-sender.ts'
import { TrailingLog } from './trailing-log.ts'

/** Read at once, while the part before is being restored: each read costs a trip to another thread, */
const RESTORE_CHUNK_BYTES_MAX = 1024 * 1024
/** and a machine whose code is cold, or that finds the processor busy, takes as much in one piece as fits into its slice. */
const RESTORE_CHUNK_BYTES_MIN = 64 * 1024
const RESTORE_CHUNK_MS = 2
const READS_AHEAD = 2
/** After so long others get a turn; the chunk that is begun within it ends a chunk's time later. */
const RESTORING_SLICE_MS = 3
/** Of a snapshot that is made while others are served: they come first, so its slices are shorter, */
const TAKING_SLICE_MS = 2
/** and each in which something was written is followed by a rest so many times as long: the busier disk and processors, the longer. */
const REST_PER_SLICE = 8
const REST_MS_MAX = 50
/** The rests shrink to this as the log grows meanwhile, by a quarter of what made the snapshot due: a start has to replay it. */
const REST_PER_SLICE_MIN = 0.5
/** Of the newest snapshot: with less log than that none is due. Else a gigabyte would be written for each 64 MiB of log. */
const LOG_PER_SNAPSHOT = 1 / 4

export interface SnapshotsOptions {
  readonly clock: Clock
  readonly storage: Storage
  readonly applier: Applier
  readonly core: Pick<Raft, 'snapshotMetaAt'>
  readonly machine: ReplicatedMachine
  /** A snapshot is made after so many bytes of log, and not before a quarter of the last one's; Infinity for never. */
  readonly everyBytes: number
  /** Of log kept behind a snapshot, for followers that are a little behind. */
  readonly trailingBytes: number
  readonly input: (input: Input) => void
  readonly onTaken: (
    meta: SnapshotMeta,
    bytes: number,
    how: { readonly ms: Milliseconds; readonly why: string },
  ) => void
  /** Is the last chunk for this peer still on its way out? */
  readonly sendingSnapshot: (to: NodeId) => boolean
  /** Restoring rests so many times as long as it has worked. */
  readonly restPerSlice: () => number
  /** A leader's snapshot has taken the place of everything here. */
  readonly onInstalled: (meta: SnapshotMeta, bytes: number) => void
  readonly onFailure: (error: Error) => void
}

export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #trailing: TrailingLog
  readonly #sender: SnapshotSender
  readonly #receiver: SnapshotReceiver
  #taking: Promise<SnapshotMeta> | null = null
  /** Our own is being written: the storage holds one unfinished snapshot at a time. */
  #storing: Promise<number> | null = null
  #closed = false
  #bytesSinceLast = 0
  /** Of them, when the slice before ended. */
  #bytesSeen = 0
  /** What the newest one stands for; null when there is none. */
  #newest: SnapshotMeta | null = null
  /** Of log, that make the next one due. */
  #dueBytes: number

  constructor(options: SnapshotsOptions) {
    this.#options = options
    this.#dueBytes = options.everyBytes
    this.#trailing = new TrailingLog(options.trailingBytes)
    this.#sender = new SnapshotSender(options.storage)
    this.#receiver = new SnapshotReceiver(options.clock, options.storage)
  }

  /** Is one being made? */
  get taking(): boolean {
    return this.#taking !== null
  }

  /** An entry of `bytes` has been applied. */
  applied(index: Index, bytes: number): void {
    this.#trailing.add(index, bytes)
    this.#bytesSinceLast += bytes
  }

  /** Makes a snapshot when the log since the last one has grown enough. To be called between two commands. */
  takeIfDue(): void {
    const { machine, onFailure } = this.#options
    if (this.#bytesSinceLast < this.#dueBytes || this.#taking !== null || this.#receiver.active) return
    if (!machine.canSnapshot) return
    this.take(`${this.#bytesSinceLast} bytes of log`).catch(onFailure)
  }

  /** Makes one now, or joins the one being made, after the one that is being received. @returns what it stands for @throws {StorageError} */
  take(why: string): Promise<SnapshotMeta> {
    this.#taking ??= this.#take(why).finally(() => {
      this.#taking = null
    })
    return this.#taking
  }

  /** `Ready.snapshotReads`. */
  serve(read: SnapshotRead): void {
    const { input, sendingSnapshot } = this.#options
    // The last chunk is still leaving: the core asks again after an election timeout.
    if (sendingSnapshot(read.to)) {
      input({ type: 'snapshotRead', to: read.to, chunk: null })
      return
    }
    this.#sender
      .read(read)
      .then((chunk) => input({ type: 'snapshotRead', to: read.to, chunk }), this.#options.onFailure)
  }

  /** `Ready.snapshotWrite`: the last chunk is followed by the restore, in line with the commands. */
  receive(chunk: SnapshotChunk): void {
    const { applier, onFailure } = this.#options
    if (chunk.done) applier.exclusive(() => this.#install(chunk))
    else this.#write(chunk).then((ok) => this.#written(chunk, ok), onFailure)
  }

  /** This server does not lead: it sends none. */
  stopSending(): void {
    this.#sender.stop().catch(this.#options.onFailure)
  }

  /** Lets go of what is open. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#sender.stop()
    await this.#receiver.abort()
    await this.#taking?.catch(() => undefined)
  }

  async #take(why: string): Promise<SnapshotMeta> {
    const { applier, core, machine, storage, input, onTaken } = this.#options
    // The leader's is the newer one.
    while (this.#receiver.active) await this.#receiver.ended()
    if (this.#closed) throw new RaftError('CLOSED', 'this server was closed before the snapshot was made')
    const newest = this.#newest
    if (newest !== null && applier.lastApplied <= newest.index) return newest
    const meta = core.snapshotMetaAt(applier.lastApplied)
    if (meta.index === 0) return meta
    // Drawn before the first await: the state belongs to `meta.index`.
    const chunks = machine.snapshot()
    this.#bytesSinceLast = 0
    this.#bytesSeen = 0
    const begun = this.#options.clock.now()
    this.#storing = this.#store(meta, chunks)
    const bytes = await this.#storing.finally(() => {
      this.#storing = null
    })
    const ms = this.#options.clock.now() - begun
    this.#setNewest(meta, bytes)
    const compactTo = this.#trailing.cut(meta.index)
    input({ type: 'compacted', meta, compactTo })
    if (compactTo > 0) await storage.compact(compactTo)
    onTaken(meta, bytes, { ms, why })
    return meta
  }

  async #store(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    const writer = await this.#options.storage.createSnapshot(meta)
    let bytes = 0
    try {
      const breathe = breather(this.#options.clock, TAKING_SLICE_MS, () => this.#restPerSlice())
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

  #setNewest(meta: SnapshotMeta, bytes: number): void {
    this.#newest = meta
    this.#dueBytes = Math.max(this.#options.everyBytes, bytes * LOG_PER_SNAPSHOT)
  }

  #restPerSlice(): number {
    const isQuiet = this.#bytesSinceLast === this.#bytesSeen
    this.#bytesSeen = this.#bytesSinceLast
    // Whoever is stopped before it is done has all of the log to replay: where nobody writes it takes a turn, no rest.
    if (isQuiet) return 0
    const grown = (4 * this.#bytesSinceLast) / this.#dueBytes
    return Math.max(REST_PER_SLICE * (1 - grown), REST_PER_SLICE_MIN)
  }

  async #write(chunk: SnapshotChunk): Promise<boolean> {
    await this.#stored()
    return this.#receiver.write(chunk)
  }

  async #install(chunk: SnapshotChunk): Promise<void> {
    await this.#stored()
    const installed = await this.#receiver.finish(chunk, async () => {
      await this.#restore()
      this.#bytesSinceLast = 0
      this.#trailing.reset()
    })
    if (installed) this.#options.onInstalled(chunk.meta, chunk.size)
    // Damaged on the way, it is not put in force: the leader sends it again.
    this.#written(chunk, installed)
  }

  /** Our own snapshot is of no use to anybody now, but must be out of the way. */
  async #stored(): Promise<void> {
    while (this.#storing !== null) await this.#storing.catch(() => undefined)
  }

  /** Begins with the newest snapshot, before anything is applied. @throws what the state machine throws while it restores */
  begin(): Promise<void> {
    const { applier } = this.#options
    return new Promise((resolve, reject) => {
      applier.exclusive(() =>
        this.#restore().then(resolve, (thrown: unknown) => {
          applier.stop()
          reject(toError(thrown))
        }),
      )
    })
  }

  /** Puts the newest committed snapshot into the state machine, as the applier's job. */
  async #restore(): Promise<void> {
    const { applier, machine, storage, clock, restPerSlice } = this.#options
    const reader = await storage.openSnapshot()
    if (reader === null) return
    try {
      await machine.restore(chunksOf(reader, clock, restPerSlice))
      this.#setNewest(reader.meta, reader.size)
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
  clock: Clock,
  restPerSlice: () => number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const breathe = breather(clock, RESTORING_SLICE_MS, restPerSlice)
  const reads: Promise<Uint8Array>[] = []
  let length = RESTORE_CHUNK_BYTES_MIN
  let offset = 0
  const readAhead = (): void => {
    for (; reads.length < READS_AHEAD && offset < reader.size; offset += length) {
      const read = reader.read(offset, length, memoryToKeep(Math.min(length, reader.size - offset)))
      // Whether it failed is looked at when it is its turn, if that comes.
      read.catch(() => undefined)
      reads.push(read)
    }
  }
  readAhead()
  for (let next = reads.shift(); next !== undefined; next = reads.shift()) {
    const chunk = await next
    readAhead()
    const begun = clock.now()
    yield chunk
    length = lengthFor(chunk.length, clock.now() - begun)
    await breathe()
  }
}

/** Of the next chunk: as much as is restored in the time for one, at the pace of that of `bytes`, which took so long. */
function lengthFor(bytes: number, took: Milliseconds): number {
  const steps = Math.floor((bytes * RESTORE_CHUNK_MS) / (Math.max(took, 0.01) * RESTORE_CHUNK_BYTES_MIN))
  return Math.min(Math.max(steps, 1) * RESTORE_CHUNK_BYTES_MIN, RESTORE_CHUNK_BYTES_MAX)
}

/**
 * Memory for what the machine may keep. V8 counts all memory outside its heap against the room that it gives the heap, unless it is
 * shared: a start that reads 256 MB into the other kind is marked through a dozen times, and has no garbage to give back.
 */
function memoryToKeep(length: number): Uint8Array {
  const Memory = typeof SharedArrayBuffer === 'function' ? SharedArrayBuffer : ArrayBuffer
  return new Uint8Array(new Memory(length))
}

/** Gives others a turn whenever the last one is longer ago than a slice, and so many times as long as it took. */
function breather(clock: Clock, slice: Milliseconds, restPerSlice: () => number): () => Promise<void> {
  let begun = clock.now()
  return async () => {
    const took = clock.now() - begun
    if (took < slice) return
    const rest = Math.min(took * restPerSlice(), REST_MS_MAX)
    await new Promise<void>((resolve) => {
      clock.setTimer(rest, resolve, { keepAlive: true })
    })
    begun = clock.now()
  }
}

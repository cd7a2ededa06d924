/**
 * How a partition of a map output comes from the worker that has it: by its path where both see the same files, else in
 * pieces, asked for one after the other. The blocks carry checksums, which the merge looks at.
 */
import {
  implement,
  openLink,
  RpcError,
  toError,
  type Client,
  type Implementation,
  type Link,
  type LinkOptions,
  type Milliseconds,
} from '@lab/rpc'
import { attemptName, type AttemptId, type FetchFailure } from '../core/task.ts'
import type { TaskFile, TaskFiles } from '../data/files.ts'
import { readIndex, type Segment } from '../data/spill-format.ts'
import { ShuffleService, type ReadRequest } from '../protocol.ts'
import { FetchFailed } from '../task/failure.ts'
import { FETCH_BYTES_MAX, type MapSource } from '../task/work.ts'
import { type OutputsSeen, type Source } from './outputs-seen.ts'
import { folderOf, type SharedFolders } from './shared-folders.ts'

/** Map outputs that one reduce asks for at a time. */
const FETCHES_MAX = 4
/** How long another worker may take to be reached. One that died does not come back: its maps are to be made again soon. */
const CONNECT_MS = 3_000

/** Gives others the map outputs in `folder`. */
export function shuffleService(files: TaskFiles, folder: string): Implementation {
  // An answer is written before the next question is looked at.
  const room = new Uint8Array(FETCH_BYTES_MAX)
  const withOutput = <T>(map: AttemptId, use: (file: TaskFile) => T): T => {
    const file = files.open(`${folder}/${attemptName(map)}`)
    try {
      return use(file)
    } finally {
      file.close()
    }
  }
  return implement(ShuffleService, {
    segments: ({ map, partition }) =>
      withOutput(map, (file) => readIndex(file).flatMap((spill) => spill[partition] ?? [])),
    read({ map, position, length }) {
      if (!(length > 0 && length <= FETCH_BYTES_MAX))
        throw new RpcError('BAD_REQUEST', `1 to ${String(FETCH_BYTES_MAX)} bytes at a time`)
      return withOutput(map, (file) => room.subarray(0, file.read(room.subarray(0, length), position)))
    },
  })
}

type ShuffleClient = Client<typeof ShuffleService.methods>

export interface ShuffleOptions {
  readonly files: TaskFiles
  readonly folder: string
  readonly worker: string
  readonly link: LinkOptions
  /** Outputs of others are copied before they are read. */
  readonly copies: boolean
}

export class Shuffle {
  readonly #options: ShuffleOptions
  readonly #shared: SharedFolders
  readonly #links = new Map<string, Link>()

  constructor(options: ShuffleOptions, shared: SharedFolders) {
    this.#options = options
    this.#shared = shared
  }

  /**
   * Makes one partition of every map output readable here.
   *
   * @param copies what the paths of fetched copies begin with
   * @throws {FetchFailed} naming all that could not be had
   */
  async sources(table: OutputsSeen, maps: number, partition: number, copies: string): Promise<MapSource[]> {
    const sources: MapSource[] = []
    const failures: FetchFailure[] = []
    let [next, found] = [0, 0]
    // Whom one cannot reach, none will wait for.
    const reached = new Map<string, Promise<void>>()
    const fetchNext = async (): Promise<void> => {
      while (next < maps) {
        const map = next++
        const isEmpty = table.isEmpty(map)
        const source = isEmpty ? null : table.get(map)
        if (isEmpty || source !== null) found++
        if (source === null) continue
        try {
          sources.push(await this.#source(source, partition, `${copies}${String(map)}`, reached))
        } catch (thrown) {
          const { attempt, worker } = source.attempt
          failures.push({ map, attempt, worker, corrupt: false, why: toError(thrown).message })
        }
      }
    }
    await Promise.all(Array.from({ length: FETCHES_MAX }, fetchNext))
    if (failures.length > 0 || found < maps) throw new FetchFailed(failures)
    // The order of values follows from the order of maps, whoever fetched faster.
    return sources.sort((a, b) => a.map - b.map)
  }

  close(): void {
    for (const link of this.#links.values()) link.close()
  }

  async #source(
    { attempt, address, probe }: Source,
    partition: number,
    copy: string,
    reached: Map<string, Promise<void>>,
  ): Promise<MapSource> {
    const { worker, folder } = this.#options
    const named = { map: attempt.task, attempt: attempt.attempt, worker: attempt.worker }
    if (attempt.worker === worker)
      return { ...named, path: `${folder}/${attemptName(attempt)}`, segments: null }
    if (this.#shared.has(probe))
      return { ...named, path: `${folderOf(probe)}/${attemptName(attempt)}`, segments: null }
    const reaching = reached.get(address) ?? this.#link(address).ready({ timeout: CONNECT_MS })
    reached.set(address, reaching)
    await reaching
    const client = this.#client(address)
    const segments = await client.segments({ map: attempt, partition })
    if (this.#options.copies)
      return { ...named, path: copy, segments: await this.#copy(client, attempt, segments, copy) }
    return { ...named, path: `${address} ${attemptName(attempt)}`, segments, address }
  }

  /** Some bytes of a map output that another worker has. @throws {Error} also when they are fewer */
  async read(
    { map, attempt, worker, address = '' }: MapSource,
    { position, length }: Omit<ReadRequest, 'map'>,
    timeout: Milliseconds,
  ): Promise<Uint8Array> {
    const request = { map: { kind: 'map', task: map, attempt, worker }, position, length } as const
    return checked(await this.#client(address).read(request, { timeout }), address, length)
  }

  /** Copies the partition's segments, one after another, to a file of ours. */
  async #copy(
    client: ShuffleClient,
    map: AttemptId,
    segments: readonly Segment[],
    copy: string,
  ): Promise<Segment[]> {
    const file = this.#options.files.create(copy)
    const copied: Segment[] = []
    let to = 0
    try {
      for (const { offset, bytes, records } of segments) {
        copied.push({ offset: to, bytes, records })
        for (let at = 0; at < bytes; at += FETCH_BYTES_MAX) {
          const length = Math.min(FETCH_BYTES_MAX, bytes - at)
          const piece = await client.read({ map, position: offset + at, length })
          file.write(checked(piece, copy, length), to)
          to += length
        }
      }
    } finally {
      file.close()
    }
    return copied
  }

  #client(address: string): ShuffleClient {
    return this.#link(address).client(ShuffleService)
  }

  #link(address: string): Link {
    let link = this.#links.get(address)
    if (link === undefined) {
      link = openLink(address, this.#options.link)
      this.#links.set(address, link)
    }
    return link
  }
}

function checked(bytes: Uint8Array, from: string, expected: number): Uint8Array {
  if (bytes.length === expected) return bytes
  throw new Error(`${from} gave ${String(bytes.length)} of ${String(expected)} bytes`)
}

/**
 * How a partition of a map output comes from the worker that has it: by its path where both see the same files, else as a
 * stream. The stream's window is the credit; the blocks carry checksums, which the merge looks at.
 */
import { implement, openLink, type Implementation, type Link, type LinkOptions } from '@lab/rpc'
import { attemptName, type AttemptId, type FetchFailure } from '../core/task.ts'
import type { TaskFiles } from '../data/files.ts'
import { readIndex, type Segment } from '../data/spill-format.ts'
import { toError } from '@lab/rpc'
import { ShuffleService, type FetchRequest } from '../protocol.ts'
import { FetchFailed } from '../task/failure.ts'
import type { MapSource } from '../task/work.ts'
import { type OutputsSeen, type Source } from './outputs-seen.ts'
import { folderOf, type SharedFolders } from './shared-folders.ts'

const CHUNK_BYTES = 128 * 1024
/** Partitions that one reduce fetches at a time. */
const FETCHES_MAX = 4

/** Gives others the map outputs in `folder`. */
export function shuffleService(files: TaskFiles, folder: string): Implementation {
  return implement(ShuffleService, { fetch: (request) => sendPartition(files, folder, request) })
}

/** First the sizes of the segments, as JSON; then their bytes. */
function* sendPartition(files: TaskFiles, folder: string, request: FetchRequest): Generator<Uint8Array> {
  const file = files.open(`${folder}/${attemptName(request.map)}`)
  try {
    const segments = readIndex(file).flatMap((spill) => spill[request.partition] ?? [])
    yield new TextEncoder().encode(JSON.stringify(segments))
    let toSkip = request.from
    for (const { offset, bytes } of segments) {
      const from = Math.min(toSkip, bytes)
      toSkip -= from
      for (let at = from; at < bytes; at += CHUNK_BYTES) {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, bytes - at))
        file.read(chunk, offset + at)
        yield chunk
      }
    }
  } finally {
    file.close()
  }
}

export interface ShuffleOptions {
  readonly files: TaskFiles
  readonly folder: string
  readonly worker: string
  readonly link: LinkOptions
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
    const fetchNext = async (): Promise<void> => {
      while (next < maps) {
        const map = next++
        const isEmpty = table.isEmpty(map)
        const source = isEmpty ? null : table.get(map)
        if (isEmpty || source !== null) found++
        if (source === null) continue
        try {
          sources.push(await this.#source(source, partition, `${copies}${String(map)}`))
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

  async #source({ attempt, address, probe }: Source, partition: number, copy: string): Promise<MapSource> {
    const { worker, folder } = this.#options
    const named = { map: attempt.task, attempt: attempt.attempt, worker: attempt.worker }
    if (attempt.worker === worker)
      return { ...named, path: `${folder}/${attemptName(attempt)}`, segments: null }
    if (this.#shared.has(probe))
      return { ...named, path: `${folderOf(probe)}/${attemptName(attempt)}`, segments: null }
    return { ...named, path: copy, segments: await this.#fetch(attempt, address, partition, copy) }
  }

  /** Copies the partition's segments, one after another, to a file of ours. */
  async #fetch(map: AttemptId, address: string, partition: number, copy: string): Promise<Segment[]> {
    const client = this.#link(address).client(ShuffleService)
    const file = this.#options.files.create(copy)
    let segments: Segment[] | null = null
    let position = 0
    try {
      for await (const chunk of client.fetch({ map, partition, from: 0 })) {
        if (segments === null) segments = JSON.parse(new TextDecoder().decode(chunk)) as Segment[]
        else {
          file.write(chunk, position)
          position += chunk.length
        }
      }
    } finally {
      file.close()
    }
    const copied = oneAfterAnother(segments ?? [])
    const expected = copied.reduce((sum, { bytes }) => sum + bytes, 0)
    if (position !== expected)
      throw new Error(`${address} sent ${String(position)} of ${String(expected)} bytes`)
    return copied
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

function oneAfterAnother(segments: readonly Segment[]): Segment[] {
  let offset = 0
  return segments.map(({ bytes, records }) => {
    const segment = { offset, bytes, records }
    offset += bytes
    return segment
  })
}

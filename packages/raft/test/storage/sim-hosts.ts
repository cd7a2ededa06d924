/** Storages of many groups on a simulated disk. */
import { seededRandom, type DiskFile, type DiskOpenOptions } from '@lab/rpc'
import { SimDisk } from '@lab/sim'
import type { HostStorage } from '../../src/host-storage.ts'
import type { Storage } from '../../src/storage.ts'
import { fileHostStorage } from '../../src/storage/file/index.ts'
import { OWNER } from '../../src/testing/storage/kit.ts'
import { inGroup } from './in-group.ts'

export const SEGMENT_BYTES = 4096

/** Counts the log's batches: writes that are durable when they return, and not to a file that is only being prepared. */
export class CountingDisk extends SimDisk {
  batches = 0
  /** Of one batch. */
  bytesMax = 0

  override async open(path: string, options?: DiskOpenOptions): Promise<DiskFile> {
    const file = await super.open(path, options)
    if (options?.durableWrites !== true || path.endsWith('.tmp')) return file
    const write = file.write.bind(file)
    return Object.assign(file, {
      write: async (bytes: Uint8Array, position: number) => {
        this.batches++
        this.bytesMax = Math.max(this.bytesMax, bytes.length)
        await write(bytes, position)
      },
    })
  }
}

/** Has reads of the log wait when told. */
export class HeldReads extends SimDisk {
  /** Reads that wait. */
  held = 0
  #until: Promise<void> | null = null

  /** @returns to be called for them to go on */
  hold(): () => void {
    let release = (): void => undefined
    this.#until = new Promise((resolve) => {
      release = () => {
        this.#until = null
        resolve()
      }
    })
    return release
  }

  override async open(path: string, options?: DiskOpenOptions): Promise<DiskFile> {
    const file = await super.open(path, options)
    const read = file.read.bind(file)
    return Object.assign(file, {
      read: async (position: number, length: number) => {
        if (this.#until !== null) {
          this.held++
          await this.#until
        }
        return read(position, length)
      },
    })
  }
}

export async function openHost(disk: SimDisk, segmentBytes = SEGMENT_BYTES): Promise<HostStorage> {
  const host = fileHostStorage('data', { disk: disk.process(), random: seededRandom(3), segmentBytes })
  await host.open(OWNER)
  return host
}

export async function openGroup(host: HostStorage, group: number): Promise<Storage> {
  const storage = inGroup(host.group(group), group)
  await storage.open(OWNER)
  return storage
}

export async function logFiles(disk: SimDisk): Promise<string[]> {
  return (await disk.list('data')).filter((name) => name.startsWith('log-'))
}

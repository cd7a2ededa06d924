import { DiskError, type DiskFile, type Random } from '@lab/rpc'
import type { Inode } from './inode.ts'

/** What an open file asks of the disk that holds it. */
export interface FileHolder {
  readonly random: Random
  readonly life: number
  perform<T>(kind: 'sync' | 'other', work: () => T, inPart?: () => void): Promise<T>
  diesOf(inPart?: () => void): boolean
  fails(): boolean
  roomFor(inode: Inode, position: number, length: number): number
}

/** An open file of a {@link SimDisk}. Once the disk has lost its power it answers nothing any more. */
export class SimFile implements DiskFile {
  readonly #disk: FileHolder
  readonly #path: string
  readonly #inode: Inode
  readonly #durableWrites: boolean
  readonly #life: number

  constructor(disk: FileHolder, path: string, inode: Inode, durableWrites: boolean) {
    this.#disk = disk
    this.#path = path
    this.#inode = inode
    this.#durableWrites = durableWrites
    this.#life = disk.life
  }

  size(): Promise<number> {
    return this.#perform('other', () => this.#inode.live.length)
  }

  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#perform('other', () => {
      const bytes = this.#inode.live.subarray(position, position + length)
      if (into === undefined) return bytes.slice()
      into.set(bytes)
      return into.subarray(0, bytes.length)
    })
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const inode = this.#inode
    const disk = this.#disk
    const inPart = (): void => {
      inode.tear(bytes.subarray(0, disk.roomFor(inode, position, bytes.length)), position, disk.random)
    }
    const work = (): void => {
      const room = disk.roomFor(inode, position, bytes.length)
      if (disk.diesOf(inPart)) return
      if (room < bytes.length) {
        inode.write(bytes.subarray(0, room), position)
        throw new DiskError('DISK_FULL', `cannot write ${this.#path}: no space left`)
      }
      if (this.#durableWrites && disk.fails()) {
        inPart()
        throw new DiskError('DISK_FAILED', `cannot write ${this.#path}: input/output error`)
      }
      if (this.#durableWrites) inode.writeDurably(bytes, position)
      else inode.write(bytes, position)
    }
    return this.#perform(this.#durableWrites ? 'sync' : 'other', work, inPart)
  }

  sync(): Promise<void> {
    const inode = this.#inode
    const disk = this.#disk
    const inPart = (): void => inode.syncSome(disk.random)
    const work = (): void => {
      if (disk.diesOf(inPart)) return
      if (disk.fails()) {
        inPart()
        throw new DiskError('DISK_FAILED', `cannot sync ${this.#path}: input/output error`)
      }
      inode.sync(0, inode.live.length)
    }
    return this.#perform('sync', work, inPart)
  }

  truncate(size: number): Promise<void> {
    return this.#perform('other', () => {
      if (!this.#disk.diesOf()) this.#inode.truncate(size)
    })
  }

  close(): Promise<void> {
    return this.#perform('other', () => undefined)
  }

  #perform<T>(kind: 'sync' | 'other', work: () => T, inPart?: () => void): Promise<T> {
    if (this.#life !== this.#disk.life) return new Promise(() => undefined)
    return this.#disk.perform(kind, work, inPart)
  }
}

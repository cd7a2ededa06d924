/**
 * A small disk that keeps apart what was written and what was synced, and can be as bad as a disk may be: at a crash any
 * subset of un-synced sectors and of un-synced folder changes survives, the write under way is torn by sectors, syncs
 * fail, the disk is full, bits flip.
 */
import {
  DiskError,
  type Disk,
  type DiskFile,
  type DiskLock,
  type DiskOpenOptions,
  type Random,
} from '@lab/rpc'

const SECTOR = 512

/** One file's content: as programs see it, and as a crash would leave it. */
class Inode {
  live = new Uint8Array(0)
  synced = new Uint8Array(0)
  readonly dirty = new Set<number>()
}

interface NameChange {
  readonly directory: string
  apply(names: Map<string, Inode>): void
}

export interface FaultDiskOptions {
  readonly random: Random
  /** All files together; unlimited unless told. */
  readonly capacityBytes?: number
}

export class FaultDisk implements Disk {
  readonly #random: Random
  capacityBytes: number
  /** The disk dies in the middle of the change that makes this 0: nothing resolves any more until {@link crash}. */
  changesUntilDeath = Infinity
  /** This share of syncs and durable writes fails, having done a part. */
  failureShare = 0
  #names = new Map<string, Inode>()
  #syncedNames = new Map<string, Inode>()
  #nameChanges: NameChange[] = []
  readonly #directories = new Set<string>()
  #locks = new Set<string>()
  /** Counts crashes: a file opened before one is of no use after it. */
  #life = 0
  #sayDead: () => void = () => undefined
  #dead: Promise<void> = Promise.resolve()
  #isDead = false

  constructor(options: FaultDiskOptions) {
    this.#random = options.random
    this.capacityBytes = options.capacityBytes ?? Infinity
    this.#revive()
  }

  /** Resolves when the disk has died of {@link changesUntilDeath}. */
  get dead(): Promise<void> {
    return this.#dead
  }

  /** The power goes and comes back: files are what a real disk could have kept. */
  crash(): void {
    const survivors = new Map(this.#syncedNames)
    for (const change of this.#nameChanges) if (this.#random.integer(0, 1) === 1) change.apply(survivors)
    for (const inode of new Set([...survivors.values()])) this.#settle(inode)
    this.#names = new Map(survivors)
    this.#syncedNames = survivors
    this.#nameChanges = []
    this.#locks = new Set()
    this.#life++
    this.changesUntilDeath = Infinity
    this.#revive()
  }

  /** The disk as one process sees it: once the power has gone, nothing that this process still does reaches the next one. */
  process(): Disk {
    const life = this.#life
    return new Proxy<Disk>(this, {
      get:
        (_, name) =>
        (...args: unknown[]): unknown => {
          if (life !== this.#life) return new Promise<never>(() => undefined)
          return (Reflect.get(this, name) as (...given: unknown[]) => unknown).apply(this, args)
        },
    })
  }

  /** The content of a file, to look at or to damage. */
  bytes(path: string): Uint8Array {
    return this.#find(path).live
  }

  /** Puts a file there, durably. */
  put(path: string, bytes: Uint8Array): void {
    const inode = new Inode()
    inode.live = bytes.slice()
    inode.synced = bytes.slice()
    this.#names.set(path, inode)
    this.#syncedNames.set(path, inode)
  }

  /** A disk with the same files, all synced. */
  copy(): FaultDisk {
    const copy = new FaultDisk({ random: this.#random, capacityBytes: this.capacityBytes })
    for (const [path, inode] of this.#names) copy.put(path, inode.live)
    for (const directory of this.#directories) copy.#directories.add(directory)
    return copy
  }

  async open(path: string, options: DiskOpenOptions = {}): Promise<DiskFile> {
    await this.#pause()
    const known = this.#names.get(path)
    if (known !== undefined && options.exclusive === true) throw new DiskError('EXISTS', `${path} exists`)
    if (known === undefined && options.create !== true && options.exclusive !== true)
      throw new DiskError('NOT_FOUND', `${path} is missing`)
    if (known !== undefined) return this.#handle(path, known, options)
    await this.#change()
    const inode = new Inode()
    this.#changeNames(path, (names) => names.set(path, inode))
    return this.#handle(path, inode, options)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#pause()
    const inode = this.#find(from)
    await this.#change()
    this.#changeNames(to, (names) => {
      names.delete(from)
      names.set(to, inode)
    })
  }

  async remove(path: string): Promise<void> {
    await this.#pause()
    await this.#change()
    this.#changeNames(path, (names) => names.delete(path))
  }

  async list(directory: string): Promise<string[]> {
    await this.#pause()
    if (!this.#directories.has(directory)) throw new DiskError('NOT_FOUND', `${directory} is missing`)
    const prefix = `${directory}/`
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
      .sort()
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#pause()
    this.#directories.add(directory)
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#pause()
    await this.#change()
    for (const change of this.#nameChanges)
      if (change.directory === directory) change.apply(this.#syncedNames)
    this.#nameChanges = this.#nameChanges.filter((change) => change.directory !== directory)
  }

  async lock(directory: string): Promise<DiskLock> {
    await this.#pause()
    if (this.#locks.has(directory)) throw new DiskError('LOCKED', `${directory} is in use`)
    const locks = this.#locks
    locks.add(directory)
    return {
      release: () => {
        locks.delete(directory)
        return Promise.resolve()
      },
    }
  }

  isDurable(): Promise<boolean> {
    return Promise.resolve(true)
  }

  #handle(path: string, inode: Inode, { durableWrites = false }: DiskOpenOptions): DiskFile {
    const life = this.#life
    const alive = async (): Promise<void> => {
      await this.#pause()
      if (life !== this.#life) await new Promise<never>(() => undefined)
    }
    return {
      size: async () => {
        await alive()
        return inode.live.length
      },
      read: async (position, length) => {
        await alive()
        return inode.live.slice(position, position + length)
      },
      write: async (bytes, position) => {
        await alive()
        const room = this.#room(inode, position, bytes.length)
        await this.#change(() => {
          this.#tear(inode, bytes, position, room)
        })
        if (room < bytes.length) {
          this.#write(inode, bytes.subarray(0, room), position)
          throw new DiskError('DISK_FULL', `cannot write ${path}: no space left`)
        }
        if (durableWrites && this.#fails()) {
          this.#tear(inode, bytes, position, room)
          throw new DiskError('DISK_FAILED', `cannot write ${path}: input/output error`)
        }
        this.#write(inode, bytes, position)
        if (durableWrites) this.#sync(inode, position, position + bytes.length)
      },
      sync: async () => {
        await alive()
        await this.#change(() => {
          this.#syncSome(inode)
        })
        if (this.#fails()) {
          this.#syncSome(inode)
          throw new DiskError('DISK_FAILED', `cannot sync ${path}: input/output error`)
        }
        this.#sync(inode, 0, inode.live.length)
      },
      truncate: async (size) => {
        await alive()
        await this.#change()
        const cut = new Uint8Array(size)
        cut.set(inode.live.subarray(0, size))
        inode.live = cut
      },
      close: async () => {
        await alive()
      },
    }
  }

  /** As many turns of the microtask queue as chance will have it. */
  async #pause(): Promise<void> {
    const life = this.#life
    for (let turns = this.#random.integer(0, 3); turns > 0; turns--) await Promise.resolve()
    if (this.#isDead || life !== this.#life) await new Promise<never>(() => undefined)
  }

  /** Counts a change; the one on which the disk dies is done in part and never answered. */
  async #change(inPart: () => void = () => undefined): Promise<void> {
    if (--this.changesUntilDeath > 0) return
    this.#isDead = true
    inPart()
    this.#sayDead()
    await new Promise<never>(() => undefined)
  }

  #revive(): void {
    this.#isDead = false
    this.#dead = new Promise((resolve) => {
      this.#sayDead = resolve
    })
  }

  #fails(): boolean {
    return this.#random.next() < this.failureShare
  }

  #find(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw new DiskError('NOT_FOUND', `${path} is missing`)
    return inode
  }

  #changeNames(path: string, apply: (names: Map<string, Inode>) => void): void {
    apply(this.#names)
    this.#nameChanges.push({ directory: path.slice(0, path.lastIndexOf('/')), apply })
  }

  #room(inode: Inode, position: number, length: number): number {
    let used = 0
    for (const each of new Set(this.#names.values())) used += each.live.length
    const grows = position + length - inode.live.length
    return Math.max(0, length - Math.max(0, grows - (this.capacityBytes - used)))
  }

  #write(inode: Inode, bytes: Uint8Array, position: number): void {
    if (position + bytes.length > inode.live.length)
      inode.live = extended(inode.live, position + bytes.length)
    inode.live.set(bytes, position)
    for (let at = position; at < position + bytes.length; at += SECTOR - (at % SECTOR))
      inode.dirty.add(Math.floor(at / SECTOR))
  }

  /** Some sectors of a write reach the disk, others do not. */
  #tear(inode: Inode, bytes: Uint8Array, position: number, room: number): void {
    for (let at = 0; at < room;) {
      const end = Math.min(room, at + SECTOR - ((position + at) % SECTOR))
      if (this.#random.integer(0, 1) === 1) this.#write(inode, bytes.subarray(at, end), position + at)
      at = end
    }
  }

  #sync(inode: Inode, from: number, to: number): void {
    if (to > inode.synced.length) inode.synced = extended(inode.synced, to)
    if (from === 0 && to >= inode.live.length) inode.synced = inode.synced.slice(0, inode.live.length)
    for (const sector of inode.dirty)
      if (sector * SECTOR < to && (sector + 1) * SECTOR > from) this.#syncSector(inode, sector)
  }

  #syncSome(inode: Inode): void {
    for (const sector of inode.dirty) if (this.#random.integer(0, 1) === 1) this.#syncSector(inode, sector)
  }

  #syncSector(inode: Inode, sector: number): void {
    inode.dirty.delete(sector)
    const content = inode.live.subarray(sector * SECTOR, (sector + 1) * SECTOR)
    const end = sector * SECTOR + content.length
    if (end > inode.synced.length) inode.synced = extended(inode.synced, end)
    inode.synced.set(content, sector * SECTOR)
  }

  /** What is left of a file: any subset of what was not synced. */
  #settle(inode: Inode): void {
    this.#syncSome(inode)
    inode.dirty.clear()
    inode.live = inode.synced.slice()
  }
}

function extended(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const longer = new Uint8Array(length)
  longer.set(bytes)
  return longer
}

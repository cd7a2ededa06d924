/**
 * A small disk that keeps apart what was written and what was synced, and can be as bad as a disk may be: at a crash any
 * subset of un-synced sectors and of un-synced folder changes survives, the write under way is torn by sectors, holes show
 * what the disk held before; syncs are slow or fail, the disk is full, bits flip.
 */
import {
  DiskError,
  toError,
  type Clock,
  type Disk,
  type DiskFile,
  type DiskLock,
  type DiskOpenOptions,
  type Random,
} from '@lab/rpc'
import { DiskLife } from './disk-life.ts'
import { Inode } from './inode.ts'
import { Pace } from './pace.ts'
import { SimFile, type FileHolder } from './sim-file.ts'

interface NameChange {
  readonly directory: string
  apply(names: Map<string, Inode>): void
}

export interface SimDiskOptions {
  readonly random: Random
  /** Then a sync takes 0.5–2 ms of its time and anything else 0.01–0.05 ms; without one, some turns of the microtask queue. */
  readonly clock?: Clock
  /** All files together; unlimited unless told. */
  readonly capacityBytes?: number
}

/** How much of removed files is kept, to show through the holes of later ones. */
const STALE_BYTES_MAX = 64 * 1024

const nothing = (): void => undefined

export class SimDisk implements Disk, FileHolder {
  readonly random: Random
  readonly #pace: Pace
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
  /** What of each change under way would have reached the disk if the power went now. */
  #underWay: (() => void)[] = []
  #stale = new Uint8Array(0)
  #life = 0
  #sayDead: () => void = nothing
  #dead: Promise<void> = Promise.resolve()
  #isDead = false

  constructor(options: SimDiskOptions) {
    this.random = options.random
    this.#pace = new Pace(options.random, options.clock)
    this.capacityBytes = options.capacityBytes ?? Infinity
    this.#revive()
  }

  /** Resolves when the disk has died of {@link changesUntilDeath}. */
  get dead(): Promise<void> {
    return this.#dead
  }

  /** Every operation takes so many times longer than usual. */
  set slowness(factor: number) {
    this.#pace.slowness = factor
  }

  /** The process that used the disk dies. What it wrote stays, synced or not; what is under way is done in part. */
  kill(): void {
    for (const inPart of this.#underWay) inPart()
    this.#underWay = []
    this.#locks = new Set()
    this.#life++
    this.#revive()
  }

  /** The power goes and comes back: files are what a real disk could have kept. */
  crash(): void {
    this.kill()
    const survivors = new Map(this.#syncedNames)
    for (const change of this.#nameChanges) if (this.random.integer(0, 1) === 1) change.apply(survivors)
    for (const inode of new Set([...survivors.values()]))
      inode.settle(this.random, (hole) => this.#fillStale(hole))
    this.#names = new Map(survivors)
    this.#syncedNames = survivors
    this.#nameChanges = []
    this.changesUntilDeath = Infinity
  }

  /** Nothing is left on it. */
  wipe(): void {
    this.kill()
    this.#names = new Map()
    this.#syncedNames = new Map()
    this.#nameChanges = []
  }

  /** The disk as one process sees it: once the power has gone, nothing that this process still does reaches the next one. */
  process(): Disk {
    const life = this.#life
    return new DiskLife(this, () => life === this.#life)
  }

  /** Paths of all files, sorted. */
  get paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  /** The content of a file, to look at or to damage. */
  bytes(path: string): Uint8Array {
    return this.#find(path).live
  }

  /** Of all files together. */
  get usedBytes(): number {
    let used = 0
    for (const inode of new Set(this.#names.values())) used += inode.live.length
    return used
  }

  /** Where the last durable write to a file began: damage before it cannot pass for a torn tail. 0 when there was none. */
  lastDurableWrite(path: string): number {
    return this.#find(path).lastDurable
  }

  /** Puts a file there, durably. */
  put(path: string, bytes: Uint8Array): void {
    const inode = Inode.holding(bytes)
    this.#names.set(path, inode)
    this.#syncedNames.set(path, inode)
  }

  /** A disk with the same files, all synced. */
  copy(): SimDisk {
    const copy = new SimDisk({ random: this.random, capacityBytes: this.capacityBytes })
    for (const [path, inode] of this.#names) copy.put(path, inode.live)
    for (const directory of this.#directories) copy.#directories.add(directory)
    return copy
  }

  open(path: string, options: DiskOpenOptions = {}): Promise<DiskFile> {
    return this.perform('other', () => {
      const known = this.#names.get(path)
      if (known !== undefined && options.exclusive === true) throw new DiskError('EXISTS', `${path} exists`)
      if (known === undefined && options.create !== true && options.exclusive !== true)
        throw new DiskError('NOT_FOUND', `${path} is missing`)
      const inode = known ?? new Inode()
      if (known === undefined && !this.diesOf()) this.#changeNames(path, (names) => names.set(path, inode))
      return new SimFile(this, path, inode, options.durableWrites === true)
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.perform('other', () => {
      const inode = this.#find(from)
      if (this.diesOf()) return
      this.#changeNames(to, (names) => {
        names.delete(from)
        names.set(to, inode)
      })
    })
  }

  remove(path: string): Promise<void> {
    return this.perform('other', () => {
      if (this.diesOf()) return
      const inode = this.#names.get(path)
      if (inode !== undefined) this.#stale = inode.live.slice(0, STALE_BYTES_MAX)
      this.#changeNames(path, (names) => names.delete(path))
    })
  }

  list(directory: string): Promise<string[]> {
    return this.perform('other', () => {
      if (!this.#directories.has(directory)) throw new DiskError('NOT_FOUND', `${directory} is missing`)
      const prefix = `${directory}/`
      const below = [...this.#names.keys(), ...this.#directories].filter((path) => path.startsWith(prefix))
      // A folder shows its files and its folders, and not what is in these.
      return [...new Set(below.map((path) => path.slice(prefix.length).split('/')[0] ?? ''))].sort()
    })
  }

  makeDirectory(directory: string): Promise<void> {
    return this.perform('other', () => {
      for (let at = directory.length; at > 0; at = directory.lastIndexOf('/', at - 1))
        this.#directories.add(directory.slice(0, at))
    })
  }

  syncDirectory(directory: string): Promise<void> {
    return this.perform('sync', () => {
      if (this.diesOf()) return
      for (const change of this.#nameChanges)
        if (change.directory === directory) change.apply(this.#syncedNames)
      this.#nameChanges = this.#nameChanges.filter((change) => change.directory !== directory)
    })
  }

  lock(directory: string): Promise<DiskLock> {
    return this.perform('other', () => {
      if (this.#locks.has(directory)) throw new DiskError('LOCKED', `${directory} is in use`)
      const locks = this.#locks
      locks.add(directory)
      return {
        release: () => {
          locks.delete(directory)
          return Promise.resolve()
        },
      }
    })
  }

  isDurable(): Promise<boolean> {
    return Promise.resolve(true)
  }

  /** Counts crashes: a file opened before one is of no use after it. */
  get life(): number {
    return this.#life
  }

  /**
   * For its files: an operation that takes its time, and is done and answered at its end. When the power goes meanwhile it is done `inPart`, and
   * when the disk dies of it, nobody hears of it.
   */
  perform<T>(kind: 'sync' | 'other', work: () => T, inPart?: () => void): Promise<T> {
    const life = this.#life
    if (inPart !== undefined) this.#underWay.push(inPart)
    return new Promise((resolve, reject) => {
      this.#pace.after(kind, () => {
        if (this.#isDead || life !== this.#life) return
        if (inPart !== undefined) this.#underWay.splice(this.#underWay.indexOf(inPart), 1)
        try {
          const result = work()
          if (!this.#isDead) resolve(result)
        } catch (thrown) {
          reject(toError(thrown))
        }
      })
    })
  }

  /** For its files: counts a change. True for the one on which the disk dies: it is done in part and never answered. */
  diesOf(inPart: () => void = nothing): boolean {
    if (--this.changesUntilDeath > 0) return false
    this.#isDead = true
    inPart()
    this.#underWay = []
    this.#sayDead()
    return true
  }

  #revive(): void {
    this.#isDead = false
    this.#dead = new Promise((resolve) => {
      this.#sayDead = resolve
    })
  }

  /** For its files: does this one fail, by chance, as {@link failureShare} says? */
  fails(): boolean {
    return this.failureShare > 0 && this.random.next() < this.failureShare
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

  /** For its files: how much of a write of `length` bytes there is room for. */
  roomFor(inode: Inode, position: number, length: number): number {
    if (this.capacityBytes === Infinity) return length
    const grows = position + length - inode.live.length
    return Math.max(0, length - Math.max(0, grows - (this.capacityBytes - this.usedBytes)))
  }

  #fillStale(hole: Uint8Array): void {
    const stale = this.#stale
    if (stale.length === 0) return
    for (let at = 0; at < hole.length; at++) hole[at] = stale[at % stale.length] as number
  }
}

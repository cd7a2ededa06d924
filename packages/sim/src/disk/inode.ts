import type { Random } from '@lab/rpc'

/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512

/** One file's content: as programs see it, and as a crash would leave it. */
export class Inode {
  /** What programs see. A view: its buffer has room to grow. */
  live: Uint8Array = new Uint8Array(0)
  /** What the disk has for certain. */
  synced: Uint8Array = new Uint8Array(0)
  /** Where the last durable write began; damage before it cannot be taken for a torn tail. */
  lastDurable = 0
  /** Sectors written and not synced. */
  readonly #dirty = new Set<number>()

  /** A file with that content, synced. */
  static holding(bytes: Uint8Array): Inode {
    const inode = new Inode()
    inode.live = bytes.slice()
    inode.synced = bytes.slice()
    return inode
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (end > this.live.length) this.live = extended(this.live, end)
    this.live.set(bytes, position)
    for (let at = position; at < end; at += SECTOR_BYTES - (at % SECTOR_BYTES))
      this.#dirty.add(Math.floor(at / SECTOR_BYTES))
  }

  /** A write that is durable at once: the sectors that it touches, whole. */
  writeDurably(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (end > this.live.length) this.live = extended(this.live, end)
    this.live.set(bytes, position)
    const from = position - (position % SECTOR_BYTES)
    const to = Math.min(this.live.length, Math.ceil(end / SECTOR_BYTES) * SECTOR_BYTES)
    if (to > this.synced.length) this.synced = extended(this.synced, to)
    this.#cutWith(position, end)
    this.synced.set(this.live.subarray(from, to), from)
    if (this.#dirty.size > 0)
      for (let at = from; at < to; at += SECTOR_BYTES) this.#dirty.delete(at / SECTOR_BYTES)
    this.lastDurable = position
  }

  /** Some sectors of a write reach the file, others do not. */
  tear(bytes: Uint8Array, position: number, random: Random): void {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + SECTOR_BYTES - ((position + at) % SECTOR_BYTES))
      if (random.integer(0, 1) === 1) this.write(bytes.subarray(at, end), position + at)
      at = end
    }
  }

  truncate(size: number): void {
    const cut = new Uint8Array(size)
    cut.set(this.live.subarray(0, size))
    this.live = cut
  }

  /** Makes the written sectors from byte `from` to `to` durable, and the size when all are. */
  sync(from: number, to: number): void {
    if (to > this.synced.length) this.synced = extended(this.synced, to)
    this.#cutWith(from, to)
    for (const sector of this.#dirty)
      if (sector * SECTOR_BYTES < to && (sector + 1) * SECTOR_BYTES > from) this.#syncSector(sector)
  }

  /** With all of the file its size is durable. */
  #cutWith(from: number, to: number): void {
    if (from === 0 && to >= this.live.length && this.synced.length > this.live.length)
      this.synced = this.synced.subarray(0, this.live.length)
  }

  syncSome(random: Random): void {
    for (const sector of this.#dirty) if (random.integer(0, 1) === 1) this.#syncSector(sector)
  }

  /** The power went: any subset of what was not synced is there. `stale` fills holes with what the disk held before. */
  settle(random: Random, stale: (bytes: Uint8Array) => void): void {
    const before = this.synced.length
    const unsynced = [...this.#dirty]
    this.syncSome(random)
    for (const sector of unsynced)
      if (this.#dirty.has(sector) && sector * SECTOR_BYTES >= before)
        stale(this.synced.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES))
    this.#dirty.clear()
    this.live = this.synced.slice()
  }

  #syncSector(sector: number): void {
    this.#dirty.delete(sector)
    const content = this.live.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES)
    const end = sector * SECTOR_BYTES + content.length
    if (end > this.synced.length) this.synced = extended(this.synced, end)
    this.synced.set(content, sector * SECTOR_BYTES)
  }
}

/** The same bytes and zeros behind them, in the same buffer when it has room. */
function extended(bytes: Uint8Array, length: number): Uint8Array {
  const { buffer, byteOffset, length: used } = bytes
  if (byteOffset === 0 && buffer.byteLength >= length) {
    const longer = new Uint8Array(buffer, 0, length)
    longer.fill(0, used)
    return longer
  }
  const roomy = new Uint8Array(Math.max(length, Math.min(used * 2, used + 1024 * 1024)))
  roomy.set(bytes)
  return roomy.subarray(0, length)
}

import type { Disk, DiskFile, DiskLock, DiskOpenOptions } from '@lab/rpc'
import type { Gate } from './gate.ts'

/** The disk as one process sees it: what it answers comes through the process's gate. */
export class GatedDisk implements Disk {
  readonly #disk: Disk
  readonly #gate: Gate

  constructor(disk: Disk, gate: Gate) {
    this.#disk = disk
    this.#gate = gate
  }

  async open(path: string, options?: DiskOpenOptions): Promise<DiskFile> {
    const file = await this.#pass(() => this.#disk.open(path, options))
    const pass = this.#pass
    return {
      size: () => pass(() => file.size()),
      read: (position, length, into) => pass(() => file.read(position, length, into)),
      write: (bytes, position) => pass(() => file.write(bytes, position)),
      sync: () => pass(() => file.sync()),
      truncate: (size) => pass(() => file.truncate(size)),
      close: () => pass(() => file.close()),
    }
  }

  rename(from: string, to: string): Promise<void> {
    return this.#pass(() => this.#disk.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#pass(() => this.#disk.remove(path))
  }

  list(directory: string): Promise<string[]> {
    return this.#pass(() => this.#disk.list(directory))
  }

  makeDirectory(directory: string): Promise<void> {
    return this.#pass(() => this.#disk.makeDirectory(directory))
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#pass(() => this.#disk.syncDirectory(directory))
  }

  lock(directory: string): Promise<DiskLock> {
    return this.#pass(() => this.#disk.lock(directory))
  }

  isDurable(directory: string): Promise<boolean> {
    return this.#pass(() => this.#disk.isDurable(directory))
  }

  readonly #pass = <T>(work: () => Promise<T>): Promise<T> =>
    this.#gate.isDead ? new Promise<never>(() => undefined) : this.#gate.promise(work())
}

import type { Disk, DiskFile, DiskLock, DiskOpenOptions } from '@lab/rpc'

/** A disk for as long as one process lives: afterwards whatever this process still asks is never done and never answered. */
export class DiskLife implements Disk {
  readonly #disk: Disk
  readonly #isAlive: () => boolean

  constructor(disk: Disk, isAlive: () => boolean) {
    this.#disk = disk
    this.#isAlive = isAlive
  }

  open(path: string, options?: DiskOpenOptions): Promise<DiskFile> {
    return this.#while(() => this.#disk.open(path, options))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#while(() => this.#disk.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#while(() => this.#disk.remove(path))
  }

  list(directory: string): Promise<string[]> {
    return this.#while(() => this.#disk.list(directory))
  }

  makeDirectory(directory: string): Promise<void> {
    return this.#while(() => this.#disk.makeDirectory(directory))
  }

  syncDirectory(directory: string): Promise<void> {
    return this.#while(() => this.#disk.syncDirectory(directory))
  }

  lock(directory: string): Promise<DiskLock> {
    return this.#while(() => this.#disk.lock(directory))
  }

  isDurable(directory: string): Promise<boolean> {
    return this.#while(() => this.#disk.isDurable(directory))
  }

  #while<T>(work: () => Promise<T>): Promise<T> {
    return this.#isAlive() ? work() : new Promise<never>(() => undefined)
  }
}

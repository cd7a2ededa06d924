/** Files in memory: for tests, for simulated workers, and for small jobs that need no disk. */
import { DiskError } from '@lab/rpc'
import type { TaskFile, TaskFiles } from './files.ts'

const FIRST_BYTES = 4096

export class MemoryFiles implements TaskFiles {
  readonly #files = new Map<string, Contents>()
  readonly #capacity: number

  /** @param capacity bytes that all files together may have; one more fails with `DISK_FULL` */
  constructor(capacity = Infinity) {
    this.#capacity = capacity
  }

  /** Bytes of all files. */
  get used(): number {
    let used = 0
    for (const { length } of this.#files.values()) used += length
    return used
  }

  /** Sorted. */
  get paths(): string[] {
    return [...this.#files.keys()].sort()
  }

  open(path: string): TaskFile {
    const contents = this.#files.get(path)
    if (contents === undefined) throw new DiskError('NOT_FOUND', `cannot open ${path}: no such file`)
    return new MemoryFile(path, contents)
  }

  create(path: string): TaskFile {
    const contents = new Contents((bytes) => {
      if (this.used + bytes > this.#capacity)
        throw new DiskError('DISK_FULL', `cannot write ${path}: no space left`)
    })
    this.#files.set(path, contents)
    return new MemoryFile(path, contents)
  }

  remove(path: string): void {
    this.#files.delete(path)
  }

  /** Gives a file these bytes. */
  put(path: string, bytes: Uint8Array): void {
    this.create(path).write(bytes, 0)
  }

  /** A copy of a file's bytes. */
  get(path: string): Uint8Array {
    const file = this.open(path)
    const bytes = new Uint8Array(file.size())
    file.read(bytes, 0)
    return bytes
  }
}

class Contents {
  #bytes = new Uint8Array(FIRST_BYTES)
  readonly #mayGrow: (by: number) => void
  /** Bytes of the file; what lies behind in the buffer is zero. */
  length = 0

  constructor(mayGrow: (by: number) => void) {
    this.#mayGrow = mayGrow
  }

  read(into: Uint8Array, position: number): number {
    const found = this.#bytes.subarray(
      Math.min(position, this.length),
      Math.min(position + into.length, this.length),
    )
    into.set(found)
    return found.length
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (end > this.length) this.#mayGrow(end - this.length)
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, position)
    this.length = Math.max(this.length, end)
  }
}

class MemoryFile implements TaskFile {
  readonly path: string
  readonly #contents: Contents

  constructor(path: string, contents: Contents) {
    this.path = path
    this.#contents = contents
  }

  size(): number {
    return this.#contents.length
  }

  read(into: Uint8Array, position: number): number {
    return this.#contents.read(into, position)
  }

  write(bytes: Uint8Array, position: number): void {
    this.#contents.write(bytes, position)
  }

  sync(): void {}

  close(): void {}
}

/**
 * A file on `node:fs`, by descriptor and callback: a write costs some 20 % less CPU than through a FileHandle, and a log
 * does nothing else all day.
 */
import fs from 'node:fs'
import type { DiskFile, DiskOpenOptions } from '../disk.ts'
import { diskError } from './disk-error.ts'

/**
 * A write on such a descriptor is durable when it returns, which saves a trip through the thread pool. Linux alone keeps
 * the promise: Windows has no such flag, and macOS flushes the drive's cache only for a full sync.
 */
const O_DSYNC = process.platform === 'linux' ? fs.constants.O_DSYNC : undefined

/** @throws {DiskError} */
export function openSystemFile(path: string, options: DiskOpenOptions): Promise<DiskFile> {
  const durable = options.durableWrites === true
  let flags = fs.constants.O_RDWR
  if (options.create === true || options.exclusive === true) flags |= fs.constants.O_CREAT
  if (options.exclusive === true) flags |= fs.constants.O_EXCL
  if (durable && O_DSYNC !== undefined) flags |= O_DSYNC
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o644, (error, descriptor) => {
      if (error !== null) reject(diskError('open', path, error))
      else resolve(new SystemFile(path, descriptor, durable && O_DSYNC === undefined))
    })
  })
}

class SystemFile implements DiskFile {
  readonly #path: string
  readonly #descriptor: number
  readonly #syncEachWrite: boolean

  constructor(path: string, descriptor: number, syncEachWrite: boolean) {
    this.#path = path
    this.#descriptor = descriptor
    this.#syncEachWrite = syncEachWrite
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#descriptor, (error, stats) => {
        if (error !== null) reject(diskError('look at', this.#path, error))
        else resolve(stats.size)
      })
    })
  }

  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array> {
    // Not from the pool, which it would pin, and not zeroed, as it is overwritten or cut off.
    const bytes = into ?? new Uint8Array(Buffer.allocUnsafeSlow(length).buffer, 0, length)
    return new Promise((resolve, reject) => {
      const readFrom = (done: number): void => {
        fs.read(this.#descriptor, bytes, done, length - done, position + done, (error, count) => {
          if (error !== null) reject(diskError('read', this.#path, error))
          else if (count === 0 || done + count === length) resolve(bytes.subarray(0, done + count))
          else readFrom(done + count)
        })
      }
      readFrom(0)
    })
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const written = this.#writeAll(bytes, position)
    return this.#syncEachWrite ? written.then(() => this.sync()) : written
  }

  sync(): Promise<void> {
    return this.#run('sync', (done) => {
      fs.fdatasync(this.#descriptor, done)
    })
  }

  truncate(size: number): Promise<void> {
    return this.#run('truncate', (done) => {
      fs.ftruncate(this.#descriptor, size, done)
    })
  }

  close(): Promise<void> {
    return this.#run('close', (done) => {
      fs.close(this.#descriptor, done)
    })
  }

  /** The system may take fewer bytes than offered, for one when the disk is nearly full. */
  #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const writeFrom = (done: number): void => {
        fs.write(this.#descriptor, bytes, done, bytes.length - done, position + done, (error, count) => {
          if (error !== null) reject(diskError('write', this.#path, error))
          else if (done + count === bytes.length) resolve()
          else writeFrom(done + count)
        })
      }
      writeFrom(0)
    })
  }

  #run(action: string, work: (done: (error: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      work((error) => {
        if (error) reject(diskError(action, this.#path, error))
        else resolve()
      })
    })
  }
}

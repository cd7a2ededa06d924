/** The system's files, by descriptor. */
import fs from 'node:fs'
import { DiskError, toError } from '@lab/rpc'
import type { TaskFile, TaskFiles } from './files.ts'

const CODES: Readonly<Record<string, DiskError['code']>> = {
  ENOENT: 'NOT_FOUND',
  EEXIST: 'EXISTS',
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
}

export const systemFiles: TaskFiles = {
  open: (path) =>
    new SystemFile(
      path,
      attempt('open', path, () => fs.openSync(path, 'r')),
    ),
  create: (path) =>
    new SystemFile(
      path,
      attempt('create', path, () => fs.openSync(path, 'w+')),
    ),
  remove(path) {
    attempt('remove', path, () => {
      fs.rmSync(path, { force: true })
    })
  },
}

class SystemFile implements TaskFile {
  readonly path: string
  readonly #descriptor: number

  constructor(path: string, descriptor: number) {
    this.path = path
    this.#descriptor = descriptor
  }

  size(): number {
    return attempt('look at', this.path, () => fs.fstatSync(this.#descriptor).size)
  }

  read(into: Uint8Array, position: number): number {
    return attempt('read', this.path, () => {
      let done = 0
      while (done < into.length) {
        const count = fs.readSync(this.#descriptor, into, done, into.length - done, position + done)
        if (count === 0) break
        done += count
      }
      return done
    })
  }

  write(bytes: Uint8Array, position: number): void {
    attempt('write', this.path, () => {
      // The system may take fewer bytes than offered, for one when the disk is nearly full.
      for (let done = 0; done < bytes.length;)
        done += fs.writeSync(this.#descriptor, bytes, done, bytes.length - done, position + done)
    })
  }

  sync(): void {
    attempt('sync', this.path, () => {
      fs.fdatasyncSync(this.#descriptor)
    })
  }

  close(): void {
    attempt('close', this.path, () => {
      fs.closeSync(this.#descriptor)
    })
  }
}

function attempt<T>(action: string, path: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    const cause = toError(thrown)
    const code = CODES[(cause as NodeJS.ErrnoException).code ?? ''] ?? 'DISK_FAILED'
    throw new DiskError(code, `cannot ${action} ${path}: ${cause.message}`, { cause })
  }
}

/** Input where this machine can open it: the same size under the same name. */
import type { TaskFile } from '../data/files.ts'
import { systemFiles } from '../data/system-files.ts'
import type { InputBytes, Split } from '../formats.ts'
import type { OpenInput } from '../task/environment.ts'

/** Of one reader, who opens one at a time. The latest stays open: the next split is mostly of the same file. */
export class LocalInput {
  #latest: TaskFile | undefined

  /** Null when it is not here. What was opened before is read no more. */
  open({ file: path, fileBytes }: Split): OpenInput | null {
    const file = this.#opened(path, fileBytes)
    if (file === null) {
      this.close()
      return null
    }
    let buffer = new Uint8Array(0)
    const bytes: InputBytes = {
      size: fileBytes,
      read(position, length) {
        // Windows are larger than many a file, and memory has to be cleared.
        const wanted = Math.max(0, Math.min(length, fileBytes - position))
        if (buffer.length < wanted) buffer = new Uint8Array(wanted)
        const into = buffer.subarray(0, wanted)
        return into.subarray(0, file.read(into, position))
      },
      readInto: (into, position) => file.read(into, position),
    }
    return { bytes, close: () => undefined }
  }

  close(): void {
    this.#latest?.close()
    this.#latest = undefined
  }

  #opened(path: string, fileBytes: number): TaskFile | null {
    try {
      if (this.#latest?.path !== path) {
        this.close()
        this.#latest = systemFiles.open(path)
      }
      return this.#latest.size() === fileBytes ? this.#latest : null
    } catch {
      return null
    }
  }
}

/** Bytes of a file that is elsewhere. */
export function openThere(
  { file, fileBytes }: Split,
  read: (file: string, position: number, length: number) => Promise<Uint8Array>,
): OpenInput {
  return {
    bytes: {
      size: fileBytes,
      read: (position, length) => readAll((at, count) => read(file, at, count), position, length),
    },
    close: () => undefined,
  }
}

/** One message holds no more than this. */
const CHUNK_BYTES = 1 << 20

async function readAll(
  read: (position: number, length: number) => Promise<Uint8Array>,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const part = await read(position + at, Math.min(CHUNK_BYTES, length - at))
    if (part.length === 0) break
    bytes.set(part, at)
    at += part.length
  }
  return bytes.subarray(0, at)
}

/** For {@link openThere} at the other end. */
export function readInput(file: string, position: number, length: number): Promise<Uint8Array> {
  const open = systemFiles.open(file)
  try {
    const bytes = new Uint8Array(Math.min(length, CHUNK_BYTES))
    return Promise.resolve(bytes.subarray(0, open.read(bytes, position)))
  } finally {
    open.close()
  }
}

/** The first bytes at a place of a file, for people; '' when it is not here. */
export function previewAt(path: string, offset: number): string {
  try {
    const file = systemFiles.open(path)
    const bytes = new Uint8Array(200)
    const length = file.read(bytes, offset)
    file.close()
    return new TextDecoder().decode(bytes.subarray(0, length)).split('\n')[0] ?? ''
  } catch {
    return ''
  }
}

import type { TaskFiles } from '../data/files.ts'
import type { Probe } from '../protocol.ts'

/** Which folders of others are ours too: those in which we find what they left there to be found. */
export class SharedFolders {
  readonly #files: TaskFiles
  readonly #known = new Map<string, boolean>()

  constructor(files: TaskFiles) {
    this.#files = files
  }

  has({ path, nonce }: Probe): boolean {
    const name = `${nonce} ${path}`
    let isShared = this.#known.get(name)
    if (isShared === undefined) {
      isShared = this.#holds(path, nonce)
      this.#known.set(name, isShared)
    }
    return isShared
  }

  #holds(path: string, nonce: string): boolean {
    try {
      const file = this.#files.open(path)
      const bytes = new Uint8Array(file.size())
      file.read(bytes, 0)
      file.close()
      return new TextDecoder().decode(bytes) === nonce
    } catch {
      return false
    }
  }
}

export function layProbe(files: TaskFiles, probe: Probe): Probe {
  const file = files.create(probe.path)
  file.write(new TextEncoder().encode(probe.nonce), 0)
  file.close()
  return probe
}

export function folderOf({ path }: Probe): string {
  return path.slice(0, path.lastIndexOf('/'))
}

import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Of a stat block, whatever the file system's own size is. */
const BLOCK_BYTES = 512

/** Bytes that a folder takes on disk, with all below it; 0 when it is not there. Files may vanish meanwhile. */
export function diskUse(folder: string): number {
  let total = 0
  for (const entry of list(folder)) {
    const path = join(folder, entry.name)
    total += entry.isDirectory()
      ? diskUse(path)
      : (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK_BYTES
  }
  return total
}

function list(folder: string): ReturnType<typeof entriesOf> {
  try {
    return entriesOf(folder)
  } catch {
    return []
  }
}

function entriesOf(folder: string) {
  return readdirSync(folder, { withFileTypes: true })
}

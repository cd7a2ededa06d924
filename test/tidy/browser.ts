/** What a bundler would take along for a browser: every file that an entry reaches. */
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { readText, root } from './files.ts'
import { sourceOf } from './imports.ts'
import { parseSource } from './source.ts'

/** Entries that must work in a browser. */
export const BROWSER_ENTRIES = [
  '@lab/rpc',
  '@lab/rpc/memory',
  '@lab/rpc/websocket/browser',
  '@lab/raft',
  '@lab/kvraft/clerk',
  '@lab/shardctrler/clerk',
  '@lab/sim',
]

/** One line for each import on the way from `entry` that a browser cannot resolve. */
export function foreignImports(entry: string, read: (path: string) => string = readText): string[] {
  const start = sourceOf(entry)
  if (start === null) return [`${entry}: no such entry`]
  const seen = new Set([start])
  const found: string[] = []
  // A set hands out what is added while it is walked.
  for (const path of seen) {
    for (const { what, line, typeOnly } of parseSource(path, read(path)).imports) {
      if (typeOnly === true) continue
      const target = what.startsWith('.') ? posix.join(posix.dirname(path), what) : sourceOf(what)
      if (target === null) found.push(`${path}:${line}: ${what}`)
      else if (existsSync(join(root, target))) seen.add(target)
    }
  }
  return found
}

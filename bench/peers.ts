import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A peer that is many programs is there when this one is. */
const PROGRAMS: Readonly<Record<string, string>> = { coreutils: 'sort', redis: 'redis-server' }

/** Peers that are packages of the registry: too large for everybody who installs this workspace, so who asks for one gets it. */
const PACKAGES: Readonly<Record<string, string>> = { duckdb: '@duckdb/node-api@1.5.6-r.1' }

/** Looks for outside programs on PATH; says which are missing instead of failing, because nobody needs to have them. */
export function findPeers(names: readonly string[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const name of names) {
    const wanted = PACKAGES[name]
    if (wanted !== undefined) {
      const folder = installed(name, wanted)
      if (folder !== undefined) found.set(name, folder)
      continue
    }
    const path = (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => join(folder, PROGRAMS[name] ?? name))
      .find(isExecutable)
    if (path === undefined) console.log(`skipped: ${name} not found`)
    else found.set(name, path)
  }
  return found
}

/** The folder whose node_modules hold the package; undefined where it cannot be had. */
function installed(name: string, wanted: string): string | undefined {
  const folder = join(import.meta.dirname, '..', 'node_modules', '.cache', 'lab-peers', name)
  if (existsSync(join(folder, 'done'))) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', wanted], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) {
    console.log(`skipped: ${name} could not be installed: ${stderr.trim().split('\n').pop() ?? ''}`)
    return undefined
  }
  writeFileSync(join(folder, 'done'), wanted)
  return folder
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

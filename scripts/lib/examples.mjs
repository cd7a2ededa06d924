import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'

/** The examples in the order of the course: number, folder, and the first sentence of the README below its title. */
export function examples() {
  const home = join(root, 'examples')
  return readdirSync(home)
    .filter((folder) => /^\d\d-/.test(folder) && existsSync(join(home, folder, 'main.ts')))
    .sort()
    .map((folder) => ({
      folder,
      number: folder.slice(0, 2),
      directory: join(home, folder),
      summary: firstLine(join(home, folder, 'README.md')),
    }))
}

function firstLine(readme) {
  if (!existsSync(readme)) return ''
  const lines = readFileSync(readme, 'utf8').split('\n')
  return lines.find((line) => line.trim() !== '' && !line.startsWith('#'))?.trim() ?? ''
}

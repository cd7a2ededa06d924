import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'

/** The packages that users install: folder, name and package.json of each. */
export function publishable() {
  return readdirSync(join(root, 'packages'))
    .sort()
    .map((folder) => {
      const directory = join(root, 'packages', folder)
      const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
      return { directory, name: manifest.name, manifest }
    })
    .filter(({ manifest }) => manifest.private !== true)
}

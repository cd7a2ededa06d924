import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of this package. What was built may stand in a chunk somewhere below it. */
const PACKAGE = nearestPackage(new URL('.', import.meta.url))

/** A file of this package, by its path below its folder. */
export function ownFile(path: string): URL {
  return new URL(path, PACKAGE)
}

/** The program itself. */
export const LAB_BIN = fileURLToPath(ownFile('bin/lab.js'))

/** Whether this is the package's folder in the repository, where its build is configured; an installed one has none. */
export const IN_CHECKOUT =
  existsSync(ownFile('tsup.config.ts')) && existsSync(ownFile('../../scripts/source-hooks.mjs'))

function nearestPackage(folder: URL): URL {
  return existsSync(new URL('package.json', folder)) ? folder : nearestPackage(new URL('..', folder))
}

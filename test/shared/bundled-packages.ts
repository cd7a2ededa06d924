/**
 * Packages below the one under test run as their bundles, natively, as they do for users: code that Vite has wrapped for tests asks a
 * getter for each thing that it imports, and the simulator takes a third as long again. So do those under test in tests that run whole
 * servers in virtual time, which know them by what they export. Other imports of a package's own name, of tests outside the packages, and
 * whatever the bundles lack, stay sources.
 *
 * So does MapReduce: jobs of users are loaded by it, and here it is Vite that reads their TypeScript.
 */
import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Plugin } from 'vite'
import { bundles } from '../../scripts/lib/bundles.mjs'

/** Where bundles stand: for `server.deps.external`. */
export const BUNDLED = /\/packages\/[^/]+\/\.lab\/[^/]+\/dist\//

/** Tests of whole servers, over seeds. They import nothing of `src`, or there would be two of each class. */
const WHOLE_SERVERS =
  /\/(?:packages\/[^/]+\/test\/(?:labs\/|sim\/|sim(?:-\w+)?\.test\.ts)|test\/shared\/lab-tests\.ts)/

export function bundledPackages(): Plugin {
  let made: ReturnType<typeof bundles> | null = null
  return {
    name: 'lab-bundled-packages',
    enforce: 'pre',
    async resolveId(specifier, importer, options) {
      const name = /^@lab\/([^/]+)/.exec(specifier)?.[1]
      const from = importer?.split(sep).join('/') ?? ''
      const own = /\/packages\/([^/]+)\//.exec(from)?.[1]
      if (name === undefined || name === 'mapreduce') return null
      if ((own === undefined || name === own) && !WHOLE_SERVERS.test(from)) return null
      const source = await this.resolve(specifier, importer, { ...options, skipSelf: true })
      if (source === null) return null
      made ??= bundles()
      const bundle = (await made)?.[pathToFileURL(source.id).href]
      return bundle === undefined ? null : fileURLToPath(bundle)
    },
  }
}

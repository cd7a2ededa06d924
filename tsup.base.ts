import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig, type Options } from 'tsup'

interface Target {
  readonly '@lab/source': string
  readonly browser?: Target
}

interface PackageJson {
  readonly exports: Readonly<Record<string, string | Target>>
}

/**
 * How every package is built: ES modules only (a second format would make a second copy of each class, and
 * `instanceof` would lie), one file for each entry of `exports`, and what entries share in chunks of its own, for the
 * same reason.
 *
 * @param directory of the package: `import.meta.dirname` of its tsup.config.ts
 * @param onSuccess does what is left to do when `dist` is there
 */
export function library(directory: string, onSuccess?: () => Promise<void>): ReturnType<typeof defineConfig> {
  const options: Options = {
    entry: entriesOf(JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as PackageJson),
    format: 'esm',
    // Only says that `node:` is not to be looked for; the entries for browsers are checked to import none of it.
    platform: 'node',
    target: 'es2023',
    splitting: true,
    sourcemap: true,
    clean: true,
    // Bundlers and Deno want to see `node:`.
    removeNodeProtocol: false,
    // tsup sets `baseUrl`, which TypeScript 6 calls deprecated.
    dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
    outDir: 'dist',
    ...(onSuccess === undefined ? {} : { onSuccess }),
  }
  return defineConfig(options)
}

/** `./src/memory/index.ts` becomes `dist/memory/index.js`. */
function entriesOf({ exports }: PackageJson): Record<string, string> {
  const targets = Object.values(exports).filter((target) => typeof target !== 'string')
  const sources = targets.flatMap(({ browser, ...target }) =>
    [target, browser].map((one) => one?.['@lab/source']).filter((source) => source !== undefined),
  )
  return Object.fromEntries(sources.map((source) => [source.replace(/^\.\/src\/|\.ts$/g, ''), source]))
}

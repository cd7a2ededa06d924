/** What every package.json of a published package must say. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolders, readText, root } from './files.ts'

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: boolean
  readonly engines?: { readonly node?: string }
  readonly files?: readonly string[]
  readonly exports: Readonly<Record<string, string | Target>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly publishConfig?: { readonly access?: string }
}

/** One entry of `exports`: sources for this checkout, types and code for everybody, others of the same for browsers. */
export interface Target {
  readonly browser?: Target
  readonly '@lab/source'?: string
  readonly types?: string
  readonly default?: string
}

/** Their only dependencies are other packages of ours. */
const WITHOUT_DEPENDENCIES = [
  '@lab/rpc',
  '@lab/raft',
  '@lab/kvraft',
  '@lab/mapreduce',
  '@lab/shardctrler',
  '@lab/shardkv',
  '@lab/trace',
  '@lab/sim',
]

export function manifests(): Map<string, Manifest> {
  return new Map(
    packageFolders().map((folder) => [
      folder,
      JSON.parse(readText(`packages/${folder}/package.json`)) as Manifest,
    ]),
  )
}

/** One line for each thing that is missing or wrong in the package in `packages/<folder>`. */
export function problemsOf(folder: string, manifest: Manifest, exists = existsInCheckout): string[] {
  const home = `packages/${folder}`
  const wanted = ['README.md', 'LICENSE', 'tsup.config.ts', 'tsconfig.json']
  return [
    ...wanted.filter((file) => !exists(`${home}/${file}`)).map((file) => `${home}/${file} is missing`),
    ...Object.entries(manifest.exports).flatMap(([subpath, target]) =>
      exportProblems(home, subpath, target, exists),
    ),
    ...fieldProblems(folder, manifest).map((problem) => `${home}/package.json: ${problem}`),
  ]
}

function exportProblems(
  home: string,
  subpath: string,
  target: string | Target,
  exists: (path: string) => boolean,
): string[] {
  if (typeof target === 'string')
    return subpath === './package.json' ? [] : [`${home}: ${subpath} has no types`]
  const { browser, ...rest } = target
  const source = rest['@lab/source'] ?? ''
  const built = source.replace('./src/', './dist/').replace(/\.ts$/, '')
  const problems = browser === undefined ? [] : exportProblems(home, `${subpath} (browser)`, browser, exists)
  if (source === '' || !exists(join(home, source))) problems.push(`${home}: ${subpath} has no source`)
  if (Object.keys(rest).join() !== '@lab/source,types,default') {
    problems.push(`${home}: ${subpath} does not name @lab/source, types, default in this order`)
  }
  if (rest.types !== `${built}.d.ts` || rest.default !== `${built}.js`) {
    problems.push(`${home}: ${subpath} is built elsewhere than its source stands`)
  }
  return problems
}

function fieldProblems(folder: string, manifest: Manifest): string[] {
  const foreign = Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith('@lab/'))
  const checks: readonly (readonly [boolean, string])[] = [
    [manifest.name === `@lab/${folder}`, `name is not @lab/${folder}`],
    [manifest.license === 'MIT', 'license is not MIT'],
    [manifest.type === 'module', 'type is not module'],
    [manifest.sideEffects === false, 'sideEffects is not false'],
    [manifest.engines?.node === '>=20.19', 'engines.node is not >=20.19'],
    [manifest.publishConfig?.access === 'public', 'publishConfig.access is not public'],
    [manifest.files?.includes('src') === true, 'files does not ship src'],
    [
      !WITHOUT_DEPENDENCIES.includes(manifest.name) || foreign.length === 0,
      `depends on ${foreign.join(', ')}`,
    ],
  ]
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem)
}

function existsInCheckout(path: string): boolean {
  return existsSync(join(root, path))
}

/** Imports run one way, and only through the front doors that a package's `exports` name. */
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { readText, root } from './files.ts'
import type { Rule } from './rule.ts'
import type { Source } from './source.ts'

/** Package → packages that its sources and tests may import. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  rpc: [],
  raft: ['rpc'],
  kvraft: ['raft', 'rpc'],
  shardctrler: ['raft', 'rpc'],
  shardkv: ['shardctrler', 'kvraft', 'raft', 'rpc'],
  mapreduce: ['rpc'],
  sim: ['rpc'],
  trace: ['rpc'],
  cli: ['rpc', 'raft', 'kvraft', 'shardctrler', 'shardkv', 'mapreduce', 'sim', 'trace'],
}

/** Test tools may use the simulator and the trace readers: optional peers, which no user of the package itself pays for. */
const BELOW_TESTING = ['sim', 'trace']

/** What the examples do not want to teach over and over: reading --transport. */
const SHARED = 'examples/shared/'
/** What the tests of several packages do alike. */
const SHARED_TESTS = 'test/shared/'

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly '@lab/source': string }>>
}

function manifestOf(name: string): Manifest | null {
  const path = `packages/${name}/package.json`
  return existsSync(join(root, path)) ? (JSON.parse(readText(path)) as Manifest) : null
}

function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\/(?:src|test)\//.exec(path)?.[1]
}

function labImport(specifier: string): { readonly name: string; readonly subpath: string } | null {
  const match = /^@lab\/([^/]+)(\/.+)?$/.exec(specifier)
  return match === null ? null : { name: match[1] ?? '', subpath: `.${match[2] ?? ''}` }
}

/** The source file behind `@lab/raft/storage/file`, or null when its package exports no such thing. */
export function sourceOf(specifier: string): string | null {
  const lab = labImport(specifier)
  const target = lab === null ? undefined : manifestOf(lab.name)?.exports[lab.subpath]
  if (lab === null || target === undefined || typeof target === 'string') return null
  return posix.join('packages', lab.name, target['@lab/source'])
}

function againstDirection({ path, imports }: Source): string[] {
  const from = packageOf(path) ?? ''
  const testing = /\/(testing|test)\//.test(path) ? BELOW_TESTING : []
  const allowed = [from, ...(BELOW[from] ?? []), ...(from === 'rpc' ? [] : testing)]
  return imports
    .filter(({ what }) => what.startsWith('@lab/') && !allowed.includes(labImport(what)?.name ?? ''))
    .map(({ what, line }) => `${line}: ${what}`)
}

function pastFrontDoors({ path, imports }: Source): string[] {
  const home = /^(packages\/[^/]+|examples\/[^/]+)\//.exec(path)?.[1]
  return imports
    .filter(({ what }) => {
      if (what.startsWith('@lab/')) return sourceOf(what) === null
      if (!what.startsWith('.') || home === undefined) return false
      const target = posix.join(posix.dirname(path), what)
      const places = [`${home}/`]
      if (home.startsWith('examples/')) places.push(SHARED)
      if (path.startsWith(`${home}/test/`) || path.endsWith('.test.ts')) places.push(SHARED_TESTS)
      return !places.some((place) => target.startsWith(place))
    })
    .map(({ what, line }) => `${line}: ${what}`)
}

export const importRules: readonly Rule[] = [
  {
    title: 'imports between packages run downwards only',
    applies: (path) => packageOf(path) !== undefined,
    violations: againstDirection,
    broken: { path: 'packages/rpc/src/server.ts', text: "import { RaftNode } from '@lab/raft'\n" },
  },
  {
    title: 'packages and examples import others by what they export, never by a path into them',
    applies: (path) => /^(packages\/[^/]+\/(src|test)|examples)\//.test(path),
    violations: pastFrontDoors,
    broken: { path: 'packages/raft/src/node.ts', text: "import { x } from '../../rpc/src/server.ts'\n" },
  },
  {
    title: 'relative imports name the .ts file',
    applies: (path) => path.endsWith('.ts'),
    violations: ({ imports }) =>
      imports
        .filter(({ what }) => what.startsWith('.') && !/\.(ts|mjs|json)$/.test(what))
        .map(({ what, line }) => `${line}: ${what}`),
    broken: { path: 'packages/raft/src/node.ts', text: "import { x } from './storage'\n" },
  },
]

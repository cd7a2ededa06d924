/** The packages as a whole: what they say about themselves, where they run, and that nothing runs from a stale build. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { BROWSER_ENTRIES, foreignImports } from './tidy/browser.ts'
import { root } from './tidy/files.ts'
import { manifests, problemsOf } from './tidy/manifests.ts'

test('every package has its files and says what it must in package.json', () => {
  const problems = [...manifests()].flatMap(([folder, manifest]) => problemsOf(folder, manifest))
  expect(problems).toEqual([])
})

test('a package with a missing file, a wrong export and a dependency too many is found', () => {
  const rpc = manifests().get('rpc')
  if (rpc === undefined) throw new Error('packages/rpc is gone')
  const broken = {
    ...rpc,
    dependencies: { leftpad: '1.0.0' },
    exports: {
      '.': { '@lab/source': './src/index.ts', default: './dist/index.js', types: './dist/index.d.ts' },
    },
  }
  const problems = problemsOf('rpc', broken, (path) => !path.endsWith('LICENSE'))
  expect(problems).toEqual([
    'packages/rpc/LICENSE is missing',
    'packages/rpc: . does not name @lab/source, types, default in this order',
    'packages/rpc/package.json: depends on leftpad',
  ])
})

test('all packages have one version', () => {
  const versions = new Set([...manifests().values()].map(({ version }) => version))
  expect([...versions]).toHaveLength(1)
})

for (const entry of BROWSER_ENTRIES) {
  test(`${entry} reaches nothing that a browser has not`, () => {
    expect(foreignImports(entry)).toEqual([])
  })
}

test('a node: import two files behind an entry is found', () => {
  const files: Record<string, string> = {
    'packages/rpc/src/index.ts': "export { a } from './clock.ts'\n",
    'packages/rpc/src/clock.ts': "import fs from 'node:fs'\nimport type { B } from 'node:net'\n",
  }
  expect(foreignImports('@lab/rpc', (path) => files[path] ?? '')).toEqual([
    'packages/rpc/src/clock.ts:1: node:fs',
  ])
})

test('tests import packages from source, one copy for the name and the path', async () => {
  const byName = await import('@lab/rpc')
  const byPath = (await import(join(root, 'packages/rpc/src/index.ts'))) as typeof byName
  expect(byName.RpcError).toBe(byPath.RpcError)
})

test('programs started with register-source have one copy of each package, made from its source', () => {
  const program = `
    import { RpcError } from '@lab/rpc'
    import { tcp } from '@lab/rpc/tcp'
    const error = await tcp().connect('nowhere', new AbortController().signal).catch((thrown) => thrown)
    console.log(error instanceof RpcError, import.meta.resolve('@lab/raft/storage/file'))`
  const loader = pathToFileURL(join(root, 'scripts/register-source.mjs')).href
  const args = ['--import', loader, '--input-type=module', '--eval', program]
  const printed = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  expect(printed).toMatch(/^true .*\/packages\/raft\/\.lab\/[^/]+\/dist\/storage\/file\/index\.js\n$/)
})

test('programs of tests and benchmarks import packages from their sources: they look inside', () => {
  const seen = "console.log(import.meta.resolve('@lab/rpc'))"
  const loader = pathToFileURL(join(root, 'scripts/register-source.mjs')).href
  const args = ['--import', loader, '--input-type=module', '--eval', seen, 'bench/run.ts']
  expect(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).toMatch(
    /\/packages\/rpc\/src\/index\.ts\n$/,
  )
})

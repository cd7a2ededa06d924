// In the checkout everything runs from source. Loading 600 files one by one takes most of the time of a short command, so
// each package is made into a few files, as a build does but without types, and anew when one of its sources has changed.
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { root } from './root.mjs'

const packages = join(root, 'packages')
const cache = join(root, 'node_modules', '.cache', 'lab-bundles')
const current = join(cache, 'current.json')
/** Among the URLs of bundles, the name of {@link makeLab}'s. */
export const LAB = 'lab'
/** In each package, one folder for each time they were made; below it they are named as in `dist`. */
const FOLDER = '.lab'
/** A process that was told of a bundle may load a part of it late. */
const KEEP_MS = 24 * 60 * 60 * 1000

/**
 * @returns {Promise<Record<string, string> | null>} the URL of the bundle for the URL of each source that a package exports;
 * null where none can be made: then the sources say why
 */
export async function bundles() {
  try {
    return fresh() ?? (await make())
  } catch {
    return null
  }
}

/** Those made last, when nothing that they were made of has changed since. */
function fresh() {
  try {
    const made = JSON.parse(readFileSync(current, 'utf8'))
    return isFresh(made) ? made.entries : undefined
  } catch {
    return undefined
  }
}

/** What was made, by whom, of which states of which sources; throws when one of those is gone. */
export function isFresh({ entries, inputs, at }) {
  return (
    at === root &&
    LAB in entries &&
    Object.entries(inputs).every(([path, stamp]) => stampOf(path) === stamp) &&
    Object.values(entries).every((url) => existsSync(fileURLToPath(url)))
  )
}

async function make() {
  const { build } = await import('esbuild')
  const begun = Date.now()
  const folder = join(FOLDER, `${begun.toString(36)}-${process.pid.toString(36)}`, 'dist')
  const names = readdirSync(packages)
  const exported = names.flatMap((name) => sourcesOf(name))
  const outputOf = ({ name, path }) =>
    pathToFileURL(join(packages, name, folder, path.replace(/^\.\/src\/|\.ts$/g, '') + '.js')).href
  const urls = Object.fromEntries(exported.map((one) => [one.specifier, outputOf(one)]))
  // Each package is in one place only, whoever imports it: a second copy of a class, and `instanceof` lies.
  const plugin = {
    name: 'packages of the workspace',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^@lab\// }, ({ path }) =>
        urls[path] === undefined ? undefined : { path: urls[path], external: true },
      ),
  }
  const results = await Promise.all(
    names.map((name) =>
      build({
        absWorkingDir: root,
        entryPoints: exported
          .filter((one) => one.name === name)
          .map(({ path }) => join(packages, name, path)),
        outbase: join(packages, name, 'src'),
        outdir: join(packages, name, folder),
        metafile: true,
        packages: 'external',
        plugins: [plugin],
        ...COMMON,
      }),
    ),
  )
  const lab = await makeLab(build, join('packages', 'cli', dirname(folder), LAB))
  const paths = results.flatMap(({ metafile }) => Object.keys(metafile.inputs))
  // What packages export decides which files are taken.
  paths.push(...names.map((name) => relative(root, join(packages, name, 'package.json'))))
  const inputs = Object.fromEntries(paths.map((path) => [path, stampOf(path)]))
  // What was saved while they were being made may be in them or not.
  for (const path of paths) if (statSync(join(root, path)).mtimeMs >= begun) inputs[path] = ''
  const entries = Object.fromEntries(
    exported.map((one) => [pathToFileURL(join(packages, one.name, one.path)).href, outputOf(one)]),
  )
  entries[LAB] = pathToFileURL(join(root, lab)).href
  keep({ at: root, entries, inputs })
  for (const name of names) forget(join(packages, name, FOLDER))
  return entries
}

const COMMON = {
  ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20.19' },
  ...{ charset: 'utf8', logLevel: 'silent' },
}

/**
 * The command with all packages in one graph: a quarter less to do for a server that starts. For programs that load nothing of the
 * user's: that would meet classes of its own.
 */
async function makeLab(build, outdir) {
  await build({
    absWorkingDir: root,
    entryPoints: ['packages/cli/src/index.ts'],
    outdir,
    conditions: ['@lab/source'],
    external: ['amaro', 'commander', 'esbuild', 'ws'],
    ...COMMON,
  })
  return join(outdir, 'index.js')
}

/** What a package exports for Node: by which name, from which source. */
function sourcesOf(name) {
  const { exports } = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'))
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object' && target['@lab/source'] !== undefined)
    .map(([path, target]) => ({
      name,
      specifier: `@lab/${name}${path.slice(1)}`,
      path: target['@lab/source'],
    }))
}

function stampOf(path) {
  const { mtimeMs, size } = statSync(join(root, path))
  return `${mtimeMs} ${size}`
}

/** Whole or not at all: several processes may come to write the same. */
function keep(made) {
  const part = `${current}.${process.pid}`
  mkdirSync(cache, { recursive: true })
  writeFileSync(part, JSON.stringify(made))
  renameSync(part, current)
}

function forget(folder) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (statSync(path).mtimeMs < Date.now() - KEEP_MS) rmSync(path, { recursive: true, force: true })
  }
}

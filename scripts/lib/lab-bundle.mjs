// In the checkout `lab` runs from its sources. Loading 600 files one by one takes most of the time of a short command, so
// they are made one file, and anew when one of them has changed.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './root.mjs'

const cli = join(root, 'packages', 'cli')
/** One level below the package, as `src` and `dist` are: what the program looks for beside itself is found from here, too. */
const folder = join(cli, '.lab')
const current = join(folder, 'current.json')
/** A process that was told of a bundle has loaded it by then. */
const KEEP_MS = 60 * 60 * 1000

/** @returns {Promise<string | null>} the URL of the bundle, or null where none can be made: then the sources say why */
export async function labBundle() {
  try {
    return pathToFileURL(join(folder, fresh() ?? (await make()))).href
  } catch {
    return null
  }
}

/** The file made last, when nothing that it was made of has changed since. */
function fresh() {
  try {
    const { file, inputs } = JSON.parse(readFileSync(current, 'utf8'))
    statSync(join(folder, file))
    return Object.entries(inputs).every(([path, stamp]) => stampOf(path) === stamp) ? file : undefined
  } catch {
    return undefined
  }
}

async function make() {
  const { build } = await import('esbuild')
  const { dependencies } = JSON.parse(readFileSync(join(cli, 'package.json'), 'utf8'))
  const begun = Date.now()
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [join(cli, 'src', 'index.ts')],
    outdir: folder,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    conditions: ['@lab/source'],
    external: Object.keys(dependencies).filter((name) => !name.startsWith('@lab/')),
    charset: 'utf8',
    logLevel: 'silent',
  })
  const [{ contents }] = outputFiles
  const file = `lab-${createHash('sha256').update(contents).digest('hex').slice(0, 16)}.js`
  mkdirSync(folder, { recursive: true })
  const inputs = Object.fromEntries(
    [...Object.keys(metafile.inputs), ...manifests()].map((path) => [path, stampOf(path)]),
  )
  // What was saved while it was being made may be in it or not.
  const changed = Object.keys(inputs).filter((path) => statSync(join(root, path)).mtimeMs >= begun)
  for (const path of changed) inputs[path] = ''
  keep(file, contents)
  keep('current.json', JSON.stringify({ file, inputs }))
  forget(file)
  return file
}

/** What packages export decides which files are taken. */
function manifests() {
  return readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'package.json'))
}

function stampOf(path) {
  const { mtimeMs, size } = statSync(join(root, path))
  return `${mtimeMs} ${size}`
}

/** Whole or not at all: several processes may come to write the same. */
function keep(name, contents) {
  const part = join(folder, `${name}.${process.pid}`)
  writeFileSync(part, contents)
  renameSync(part, join(folder, name))
}

function forget(except) {
  for (const name of readdirSync(folder)) {
    if (name === except || name === 'current.json') continue
    const path = join(folder, name)
    if (statSync(path).mtimeMs < Date.now() - KEEP_MS) rmSync(path, { force: true })
  }
}

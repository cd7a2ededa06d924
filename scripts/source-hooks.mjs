// Lets Node run this checkout from its TypeScript sources, without a build: resolves packages of the workspace to
// their `@lab/source` export and strips the types. See register-source.mjs.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

// Stripping costs more than all else that `lab kv get` does: each source is stripped once, by the hash of its content.
const CACHE = fileURLToPath(new URL('../node_modules/.cache/lab-source/', import.meta.url))
const STRIPPER = '../packages/cli/bin/strip-types.mjs'

/** The URL of the bundle for a source that a package exports, if there are bundles and this thread takes them. */
let bundled = {}

export function initialize({ bundles }) {
  bundled = bundles ?? {}
}

/** Of the packages' sources only those that are exported have a bundle: nothing else is to import them. */
export async function resolve(specifier, context, nextResolve) {
  return inBundle(await nextResolve(specifier, withSource(context)))
}

/** For hooks in the thread that loads. */
export function resolveSync(specifier, context, nextResolve) {
  return inBundle(nextResolve(specifier, withSource(context)))
}

function withSource(context) {
  return { ...context, conditions: ['@lab/source', ...context.conditions] }
}

function inBundle(resolved) {
  const url = bundled[resolved.url]
  return url === undefined ? resolved : { ...resolved, url, format: 'module' }
}

/** For hooks in a thread of their own. */
export async function load(url, context, nextLoad) {
  if (!isTypeScript(url)) return nextLoad(url, context)
  const source = read(url)
  return module(source.kept ?? keep(source, await import(STRIPPER)))
}

/** For hooks in the thread that loads. */
export function loadSync(url, context, nextLoad) {
  if (!isTypeScript(url)) return nextLoad(url, context)
  const source = read(url)
  return module(source.kept ?? keep(source, createRequire(import.meta.url)(STRIPPER)))
}

function isTypeScript(url) {
  return url.startsWith('file:') && /\.m?ts$/.test(url)
}

function module(source) {
  return { format: 'module', shortCircuit: true, source }
}

function read(url) {
  const path = fileURLToPath(url)
  const text = readFileSync(path, 'utf8')
  const cached = `${CACHE}${createHash('sha256').update(text).digest('hex')}.js`
  try {
    return { path, text, cached, kept: readFileSync(cached, 'utf8') }
  } catch {
    return { path, text, cached }
  }
}

/** Whole or not at all, as several processes may write the same; where nothing can be written, nothing is kept. */
function keep({ path, text, cached }, { stripTypes }) {
  const code = stripTypes(text, path)
  const part = `${cached}.${process.pid}`
  try {
    mkdirSync(CACHE, { recursive: true })
    writeFileSync(part, code)
    renameSync(part, cached)
  } catch {
    // The next process strips again.
  }
  return code
}

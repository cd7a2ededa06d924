// Lets Node run this checkout from its TypeScript sources, without a build: resolves packages of the workspace to
// their `@lab/source` export and, on a Node that cannot do so itself, strips the types. See register-source.mjs.
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const NODE_STRIPS_TYPES =
  process.features.typescript === 'strip' || process.features.typescript === 'transform'
// Stripping costs more than all else that `lab kv get` does: each source is stripped once, by the hash of its content.
const CACHE = new URL('../node_modules/.cache/lab-source/', import.meta.url)
let stripper

export async function resolve(specifier, context, nextResolve) {
  return nextResolve(specifier, { ...context, conditions: ['@lab/source', ...context.conditions] })
}

export async function load(url, context, nextLoad) {
  if (NODE_STRIPS_TYPES || !url.startsWith('file:') || !/\.m?ts$/.test(url)) return nextLoad(url, context)
  const path = fileURLToPath(url)
  return { format: 'module', shortCircuit: true, source: await stripped(await readFile(path, 'utf8'), path) }
}

async function stripped(text, path) {
  const cached = new URL(`${createHash('sha256').update(text).digest('hex')}.js`, CACHE)
  try {
    return await readFile(cached, 'utf8')
  } catch {
    stripper ??= await import('../packages/cli/bin/strip-types.mjs')
    const code = stripper.stripTypes(text, path)
    await keep(cached, code)
    return code
  }
}

/** Whole or not at all, as several processes may write the same; where nothing can be written, nothing is kept. */
async function keep(file, code) {
  const part = new URL(`${file.href}.${process.pid}`)
  try {
    await mkdir(CACHE, { recursive: true })
    await writeFile(part, code)
    await rename(part, file)
  } catch {
    // The next process strips again.
  }
}
